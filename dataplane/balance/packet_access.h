// packet::Packet as a kind of buffer (levels.h): what tests and benchmarks hand to the path.
#pragma once

#include <cstdint>

#include "dataplane/packet/packet.h"

namespace warmswap::balance {

struct PacketAccess {
  using Item = packet::Packet;
  using Buffer = packet::Packet;

  static Buffer& buffer(Item& item) noexcept { return item; }
  static uint8_t* frame(const Buffer& buffer) noexcept { return buffer.frame; }
  static uint32_t length(const Buffer& buffer) noexcept { return buffer.length; }
  static uint32_t contiguous(const Buffer& buffer) noexcept { return buffer.contiguous; }
  static uint32_t headroom(const Buffer& buffer) noexcept { return buffer.headroom; }
  static void resize(Buffer& buffer, uint8_t* frame, uint32_t length) noexcept {
    buffer.frame = frame;
    buffer.length = length;
  }
  static constexpr bool kMarkEach = true;
  static void mark(Buffer& buffer, uint8_t port) noexcept {
    buffer.port = port;
    buffer.verdict = packet::Verdict::forward;
  }
  static void decide(Buffer& buffer, packet::Verdict verdict, packet::DropReason reason) noexcept {
    buffer.verdict = verdict;
    buffer.reason = reason;
  }
};

}  // namespace warmswap::balance
