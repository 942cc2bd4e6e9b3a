#include "dataplane/io/mbuf_burst.h"

#include "dataplane/balance/levels.h"

namespace warmswap::io {
namespace {

void decide_for(rte_mbuf& buffer, Decision decision) noexcept {
  buffer.hash.usr = std::bit_cast<uint32_t>(decision);
}

/// A packet in several buffers: the first one grew by the outer header, and whatever followed the IP packet (Ethernet
/// padding) is cut off, with the buffers that hold nothing else.
[[gnu::noinline, gnu::cold]] void resize_chain(rte_mbuf& buffer, uint16_t start, uint32_t length) noexcept {
  buffer.data_len = static_cast<uint16_t>(buffer.data_len + buffer.data_off - start);
  buffer.data_off = start;
  buffer.pkt_len = length;
  buffer.nb_segs = 1;
  rte_mbuf* last = &buffer;
  uint32_t left = length;
  for (; left > last->data_len && last->next != nullptr; last = last->next, ++buffer.nb_segs) left -= last->data_len;
  last->data_len = static_cast<uint16_t>(left);
  free_buffers(last->next);
  last->next = nullptr;
}

/// balance/levels.h says what an Access is.
struct MbufAccess {
  using Item = rte_mbuf*;
  using Buffer = rte_mbuf;

  static Buffer& buffer(Item& item) noexcept { return *item; }
  static uint8_t* frame(const Buffer& buffer) noexcept { return rte_pktmbuf_mtod(&buffer, uint8_t*); }
  static uint32_t length(const Buffer& buffer) noexcept { return buffer.pkt_len; }
  static uint32_t contiguous(const Buffer& buffer) noexcept { return buffer.data_len; }
  static uint32_t headroom(const Buffer& buffer) noexcept { return buffer.data_off; }
  static void resize(Buffer& buffer, uint8_t* frame, uint32_t length) noexcept {
    const auto start = static_cast<uint16_t>(frame - static_cast<uint8_t*>(buffer.buf_addr));
    if (buffer.nb_segs != 1) [[unlikely]]
      return resize_chain(buffer, start, length);
    buffer.data_off = start;
    buffer.data_len = static_cast<uint16_t>(length);
    buffer.pkt_len = length;
  }
  static constexpr bool kMarkEach = false;
  static void mark(Buffer& buffer, uint8_t port) noexcept {
    decide_for(buffer, {port, packet::Verdict::forward, {}, 0});
  }
  static void decide(Buffer& buffer, packet::Verdict verdict, packet::DropReason reason) noexcept {
    decide_for(buffer, {0, verdict, reason, 0});
  }
};

}  // namespace

ProcessMbufs process_mbufs_at(balance::VectorLevel level) noexcept {
  return balance::process_burst_of<MbufAccess>(level);
}

}  // namespace warmswap::io
