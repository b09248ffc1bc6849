/*
 * verdict.h - what the internet layer says of a frame
 */
#ifndef CORE_IP_VERDICT_H
#define CORE_IP_VERDICT_H

enum ip_verdict {
    IP_CONSUMED,   /* nothing is left to do: used, or dropped and counted */
    IP_TRANSPORT,  /* TCP or UDP for us */
    IP_ICMP_ERROR, /* packet->error is about a packet of ours */
    IP_ECHO_REPLY, /* packet->echo, and the payload as transport bytes */
};

#endif
