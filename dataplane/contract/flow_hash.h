// The keyed flow hash: SipHash-1-3 over the 5-tuple, the same bits on every balancer of a fleet, in
// `warmswapctl explain` and in the Python oracle.
//
// Source: Aumasson & Bernstein, "SipHash: a fast short-input PRF" (2012), with c = 1 compression and d = 3
// finalisation rounds. The message is the 13-byte string, all fields in network order:
//
//     source address (4) | destination address (4) | source port (2) | destination port (2) | protocol (1)
//
// 13 bytes fill one full word and the final word that also carries the length, so a packet costs 2 compression
// rounds and 3 finalisation rounds. Pure; any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "dataplane/contract/byte_order.h"

namespace warmswap::contract {

/// 128-bit secret; `k0` holds key bytes 0..7 and `k1` bytes 8..15, little-endian, as in the SipHash paper.
struct HashKey {
  uint64_t k0 = 0;
  uint64_t k1 = 0;
  friend bool operator==(const HashKey&, const HashKey&) = default;
};

/// The 5-tuple of an IPv4 flow as seen on the way to the vip.
struct FlowKey {
  Be32 source;
  Be32 destination;
  Be16 source_port;
  Be16 destination_port;
  uint8_t protocol = 0;
  friend bool operator==(const FlowKey&, const FlowKey&) = default;
};

static_assert(std::endian::native == std::endian::little, "SipHash words are little-endian loads of wire bytes");

struct SipState {
  uint64_t v0, v1, v2, v3;

  constexpr explicit SipState(HashKey key) noexcept
      : v0(key.k0 ^ 0x736f6d6570736575ULL),
        v1(key.k1 ^ 0x646f72616e646f6dULL),
        v2(key.k0 ^ 0x6c7967656e657261ULL),
        v3(key.k1 ^ 0x7465646279746573ULL) {}

  constexpr void round() noexcept {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  constexpr void compress(uint64_t word) noexcept {
    v3 ^= word;
    round();
    v0 ^= word;
  }
  constexpr uint64_t finish() noexcept {
    v2 ^= 0xff;
    round();
    round();
    round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

/// The two words that the 13-byte string of a flow makes.
struct FlowWords {
  uint64_t first;   // both addresses
  uint64_t second;  // ports, protocol, and the message's length in the top byte
};

constexpr FlowWords flow_words(const FlowKey& flow) noexcept {
  return {uint64_t{flow.source.raw()} | uint64_t{flow.destination.raw()} << 32,
          uint64_t{flow.source_port.raw()} | uint64_t{flow.destination_port.raw()} << 16 |
              uint64_t{flow.protocol} << 32 | uint64_t{13} << 56};
}

constexpr uint64_t flow_hash(HashKey key, FlowWords words) noexcept {
  SipState state(key);
  state.compress(words.first);
  state.compress(words.second);
  return state.finish();
}

constexpr uint64_t flow_hash(HashKey key, const FlowKey& flow) noexcept {
  return flow_hash(key, flow_words(flow));
}

/// SipHash-1-3 of any byte string: for names and slots on the control plane, and to check the two-word form above.
inline uint64_t sip_hash(HashKey key, const void* data, size_t bytes) noexcept {
  SipState state(key);
  const auto* at = static_cast<const unsigned char*>(data);
  const size_t whole = bytes / 8;
  for (size_t i = 0; i < whole; ++i, at += 8) state.compress(load<uint64_t>(at));
  uint64_t last = uint64_t{bytes & 0xff} << 56;
  for (size_t i = 0; i < bytes % 8; ++i) last |= uint64_t{at[i]} << (8 * i);
  state.compress(last);
  return state.finish();
}

/// The ring slot of a hash: multiply-shift reduction of its high half (Lemire 2019), so no division per packet.
/// `ring_size` ≥ 1.
constexpr uint32_t ring_slot(uint64_t hash, uint32_t ring_size) noexcept {
  return static_cast<uint32_t>(((hash >> 32) * ring_size) >> 32);
}

/// The bits of a hash that vary an outer source address or port. Independent of the slot, which uses the high half.
constexpr uint32_t flow_entropy(uint64_t hash) noexcept {
  return static_cast<uint32_t>(hash);
}

/// The bits of a hash that decide whether the flow's handshake is sampled: the same ones, but the upper of them count
/// most, of which an outer source has few, and none of the slot's.
constexpr uint32_t flow_sample(uint64_t hash) noexcept {
  return static_cast<uint32_t>(hash);
}

/// What flow_sample() is below for one flow in `one_in`; 0 = for none.
constexpr uint32_t sampled_below(uint32_t one_in) noexcept {
  return one_in == 0 ? 0 : static_cast<uint32_t>(0xffffffffu / one_in);
}

}  // namespace warmswap::contract
