/*
 * http_mime.h - what kind of file a name stands for
 */
#ifndef CLI_HTTP_MIME_H
#define CLI_HTTP_MIME_H

/* The media type by the name's ending, "application/octet-stream" if it says nothing. */
const char *http_mime_type(const char *path);

#endif
