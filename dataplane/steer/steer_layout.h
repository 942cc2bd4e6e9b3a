/* What the XDP program and its loader share. C, because clang compiles it for the bpf target too. */
#pragma once

#include <linux/types.h>

/* The configuration allows 2^18 vips, each with an address of its own at most. */
#define STEER_VIP_CAPACITY (1 << 19)

/* The key of the vip map, all fields as they stand on the wire. port 0 = any port of the protocol; protocol 0 and
 * port 0 = "this address belongs to some vip". */
struct steer_key {
  __be32 address;
  __be16 port;
  __u8 protocol;
  __u8 zero;
};

enum steer_counter {
  STEER_REDIRECTED, /* handed to a worker */
  STEER_NO_SOCKET,  /* for a vip, but no worker listens on this receive queue: dropped */
  STEER_COUNTERS,
};
