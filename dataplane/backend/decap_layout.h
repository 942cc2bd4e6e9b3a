/* What the decapsulation program and the agent share: map keys and values, and the names both go by. C and C++. */
#pragma once

#include <linux/types.h>

/* The program's own name, visible in `tc filter show` and `bpftool prog`: how an agent recognises its predecessor. */
#define WARMSWAP_DECAP_PROGRAM "warmswap_decap"

enum warmswap_decap_outcome {
#define WARMSWAP_DECAP(name, text) WARMSWAP_DECAP_##name,
#include "dataplane/backend/decap_outcomes.def"
#undef WARMSWAP_DECAP
  WARMSWAP_DECAP_OUTCOME_COUNT
};

/* Key of the `sources` map, in the shape every longest-prefix-match map asks for. */
struct warmswap_source_prefix {
  __u32 length;
  __be32 address;
};

/* The one element of the `attachment` map, for `--stats`: the agent that attached the program. */
struct warmswap_attachment {
  __u32 pid;
};

#define WARMSWAP_MAX_VIPS 4096
#define WARMSWAP_MAX_ADDRESSES 1024
#define WARMSWAP_MAX_SOURCES 1024
