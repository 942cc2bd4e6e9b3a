// The packet path at every vector level: stages.h compiled for plain x86-64, for AVX2 and for AVX-512. Same source,
// same results; only the instructions differ. For pipeline.cc, and for the benchmark that times each stage.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "dataplane/balance/columns.h"
#include "dataplane/balance/snapshot_view.h"
#include "dataplane/packet/ipip.h"
#include "dataplane/packet/parse.h"

// Everything these functions call is included above, compiled for the baseline and inlined: what the linker may share
// between levels holds no instruction that a lesser processor lacks.
#define WARMSWAP_LEVEL baseline
#define WARMSWAP_TARGET
#define WARMSWAP_VECTOR_BITS 128
#include "dataplane/balance/stages.h"
#undef WARMSWAP_LEVEL
#undef WARMSWAP_TARGET
#undef WARMSWAP_VECTOR_BITS

#if defined(__x86_64__)
#define WARMSWAP_LEVEL avx2
#define WARMSWAP_TARGET [[gnu::target("arch=x86-64-v3")]]
#define WARMSWAP_VECTOR_BITS 256
#include "dataplane/balance/stages.h"
#undef WARMSWAP_LEVEL
#undef WARMSWAP_TARGET
#undef WARMSWAP_VECTOR_BITS

#define WARMSWAP_LEVEL avx512
#define WARMSWAP_TARGET [[gnu::target("arch=x86-64-v4,prefer-vector-width=512")]]
#define WARMSWAP_VECTOR_BITS 512
#include "dataplane/balance/stages.h"
#undef WARMSWAP_LEVEL
#undef WARMSWAP_TARGET
#undef WARMSWAP_VECTOR_BITS
#endif
