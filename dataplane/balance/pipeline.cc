#include "dataplane/balance/pipeline.h"

#include "dataplane/balance/levels.h"
#include "dataplane/balance/packet_access.h"

namespace warmswap::balance {

// clang knows these names from version 18 on; it only reads this file here, to check it.
#if defined(__x86_64__) && !(defined(__clang__) && __clang_major__ < 18)
#define WARMSWAP_CAN_ASK_FOR_LEVELS
#endif

VectorLevel best_vector_level() noexcept {
#if defined(WARMSWAP_CAN_ASK_FOR_LEVELS)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return VectorLevel::avx512;
  if (__builtin_cpu_supports("x86-64-v3")) return VectorLevel::avx2;
#endif
  return VectorLevel::baseline;
}

ProcessBurst process_burst_at(VectorLevel level) noexcept {
  return process_burst_of<PacketAccess>(level);
}

}  // namespace warmswap::balance
