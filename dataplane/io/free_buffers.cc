// Apart from mbuf_burst.cc, whose object holds nothing but the packet path (scripts/check-hot-path).
#include "dataplane/io/mbuf_burst.h"

namespace warmswap::io {

void free_buffers(rte_mbuf* first) noexcept {
  rte_pktmbuf_free(first);
}

}  // namespace warmswap::io
