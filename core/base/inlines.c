/*
 * inlines.c - the functions of headers that are inline and not static, once
 *
 * Where one is not worth to be repeated, as with -Os, it is called here.
 */
#include "base/addr.h"
#include "base/checksum.h"
#include "base/frame.h"
#include "base/list.h"
#include "base/span.h"

extern inline bool addr_is_any_of_both(const struct weir_addr *a);

extern inline uint64_t checksum_raw_plus(uint64_t a, uint64_t b);
extern inline uint64_t checksum_raw(const void *bytes, size_t len);
extern inline uint32_t checksum_reduce(uint64_t sum);
extern inline uint32_t checksum_join(uint32_t a, uint32_t b, size_t len_of_a);
extern inline uint32_t checksum_words(const uint8_t *bytes, size_t len);

extern inline uint8_t *frame_push(struct frame *frame, size_t len);

extern inline void list_init(struct list *l);
extern inline bool list_is_empty(const struct list *head);
extern inline struct list *list_first(const struct list *head);
extern inline void list_remove(struct list *link);
extern inline struct list *list_take_first(struct list *head);

extern inline struct span span_drop(struct span s, size_t len);
extern inline void span_copy_few(uint8_t *to, const uint8_t *from, size_t len);
extern inline void span_copy(uint8_t *to, struct span s);
