// The packet path at every vector level: stages.h compiled for plain x86-64, for AVX2 and for AVX-512. Same source,
// same results; only the instructions differ. Included by one file for each kind of buffer that packets come in.
//
// An Access tells the path how to read and mark a kind of buffer, so that nothing is copied between the driver's and
// the path's idea of a packet. All its members are static, noexcept and meant to be inlined:
//
//     using Item = …, Buffer = …;                 what a burst is a span of, and what the path keeps pointers to
//     Buffer& buffer(Item&)
//     uint8_t* frame(const Buffer&)               first byte of the Ethernet header
//     uint32_t length(const Buffer&), contiguous(const Buffer&), headroom(const Buffer&)     as in packet::Packet
//     void resize(Buffer&, uint8_t* frame, uint32_t length)                                  the encapsulated frame
//     void mark(Buffer&, uint8_t port)                                                       forward it
//     void decide(Buffer&, Verdict, DropReason)                                              drop or pass
//     bool kMarkEach                              false: where the Outcome says that all are forwarded by one port,
//                                                 nothing is marked; then a burst is at most kBurstPackets
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "dataplane/balance/columns.h"
#include "dataplane/balance/pipeline.h"
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

namespace warmswap::balance {

template <typename Access>
using ProcessBurstOf = Outcome (*)(const SnapshotView&, std::span<typename Access::Item>, const Ledger&) noexcept;

/// The path over one kind of buffer, compiled for `level`.
template <typename Access>
ProcessBurstOf<Access> process_burst_of(VectorLevel level) noexcept {
  switch (level) {
#if defined(__x86_64__)
    case VectorLevel::avx512:
      return avx512::process_burst<Access>;
    case VectorLevel::avx2:
      return avx2::process_burst<Access>;
#endif
    default:
      return baseline::process_burst<Access>;
  }
}

}  // namespace warmswap::balance
