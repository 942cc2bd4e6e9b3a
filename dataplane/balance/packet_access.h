// packet::Packet as a kind of buffer (levels.h): what tests and benchmarks hand to the path.
#pragma once

#include <cstdint>

#include "dataplane/packet/packet.h"

namespace warmswap::balance {

struct PacketAccess {
  using Item = packet::Packet;

  static uint8_t* frame(const Item& item) noexcept { return item.frame; }
  static uint32_t length(const Item& item) noexcept { return item.length; }
  static uint32_t contiguous(const Item& item) noexcept { return item.contiguous; }
  static uint32_t headroom(const Item& item) noexcept { return item.headroom; }
  static void forward(Item& item, uint8_t* frame, uint32_t length, uint8_t port) noexcept {
    item.frame = frame;
    item.length = length;
    item.port = port;
    item.verdict = packet::Verdict::forward;
  }
  static void decide(Item& item, packet::Verdict verdict, packet::DropReason reason) noexcept {
    item.verdict = verdict;
    item.reason = reason;
  }
};

}  // namespace warmswap::balance
