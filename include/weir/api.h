/*
 * weir/api.h - what marks a public function
 */
#ifndef WEIR_API_H
#define WEIR_API_H

#define WEIR_API __attribute__((visibility("default")))

#endif
