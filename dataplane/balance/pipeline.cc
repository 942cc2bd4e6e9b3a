#include "dataplane/balance/pipeline.h"

#include "dataplane/balance/levels.h"
#include "dataplane/balance/packet_access.h"

namespace warmswap::balance {

VectorLevel best_vector_level() noexcept {
#if defined(__x86_64__)
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
