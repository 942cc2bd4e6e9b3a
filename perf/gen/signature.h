// What every generated packet carries so that the receiver knows it again. Pure; any thread.
//
// In the payload, when it has 18 bytes or more (big-endian):
//
//     0                   1                   2                   3
//     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//                                    +-------------------------------+
//                                    |             check             |
//    +-------+-----------------------+-------------------------------+
//    |stream |                 flow index, 28 bits                   |
//    +-------+-------------------------------------------------------+
//    |              sequence number within the stream                |
//    +---------------------------------------------------------------+
//    |                                                               |
//    +          TSC at the scheduled departure, 64 bits              +
//    |                                                               |
//    +---------------------------------------------------------------+
//
// Else, in TCP header fields that a layer-4 balancer does not touch. The flow follows from the addresses and ports
// (FlowSpace::find), so it need not be carried:
//
//    sequence number         sequence number within the stream
//    acknowledgement number  TSC at the scheduled departure >> 2, low 32 bits: 1.6 ns at 2.4 GHz, repeats after 7 s
//    window, urgent pointer  stream (4 bits), check (28 bits)
//
// The sequence counts per stream, not per flow: no state per flow is needed to send, a window of bits finds duplicates
// and losses, and within one flow it still rises, which is what reordering is judged by. The departure is the scheduled
// one, so that waiting inside the generator counts as latency (no coordinated omission). The check is keyed with the
// traffic's seed; it tells our packets from others' and is no protection against forgery.
#pragma once

#include <cstdint>

#include "dataplane/contract/byte_order.h"
#include "perf/gen/random.h"

namespace warmswap::gen {

struct Signature {
  uint32_t stream = 0;
  uint32_t flow = 0;  // low 28 bits of the flow index; 0 in the compact form
  uint32_t sequence = 0;
  uint64_t departure = 0;  // TSC; in the compact form only what kCompactDepartureMask leaves
};

inline constexpr uint32_t kSignatureBytes = 18;
inline constexpr uint32_t kSignatureFlowMask = (1u << 28) - 1;
inline constexpr int kCompactShift = 2;
inline constexpr uint64_t kCompactDepartureMask = uint64_t{0xffffffff} << kCompactShift;

/// Offsets in the TCP header of what the compact form uses.
inline constexpr uint32_t kTcpSequenceOffset = 4;
inline constexpr uint32_t kTcpWindowOffset = 14;
inline constexpr uint32_t kTcpUrgentOffset = 18;

namespace detail {

inline uint32_t signature_check(const Signature& signature, uint64_t key) noexcept {
  const uint64_t first = uint64_t{signature.stream << 28 | signature.flow} << 32 | signature.sequence;
  return static_cast<uint32_t>(mix64((first ^ key) * 0x9e3779b97f4a7c15ULL ^ signature.departure) >> 32);
}

}  // namespace detail

/// Writes kSignatureBytes.
inline void write_signature(uint8_t* to, const Signature& signature, uint64_t key) noexcept {
  using contract::Be16;
  using contract::Be32;
  using contract::store;
  store(to, Be16(static_cast<uint16_t>(detail::signature_check(signature, key))));
  store(to + 2, Be32(signature.stream << 28 | signature.flow));
  store(to + 6, Be32(signature.sequence));
  store(to + 10, contract::BigEndian<uint64_t>(signature.departure));
}

/// False when it is none of ours.
inline bool read_signature(const uint8_t* from, uint64_t key, Signature& signature) noexcept {
  using contract::Be16;
  using contract::Be32;
  using contract::load;
  const uint32_t word = load<Be32>(from + 2).host();
  signature = {word >> 28, word & kSignatureFlowMask, load<Be32>(from + 6).host(),
               load<contract::BigEndian<uint64_t>>(from + 10).host()};
  return load<Be16>(from).host() == static_cast<uint16_t>(detail::signature_check(signature, key));
}

/// The compact form in the TCP header at `tcp`. `signature.flow` and the bits of the departure that do not fit are
/// ignored.
inline void write_compact_signature(uint8_t* tcp, Signature signature, uint64_t key) noexcept {
  using contract::Be16;
  using contract::Be32;
  using contract::store;
  signature.flow = 0;
  signature.departure &= kCompactDepartureMask;
  const uint32_t check = detail::signature_check(signature, key) & kSignatureFlowMask;
  const uint32_t word = signature.stream << 28 | check;
  store(tcp + kTcpSequenceOffset, Be32(signature.sequence));
  store(tcp + kTcpSequenceOffset + 4, Be32(static_cast<uint32_t>(signature.departure >> kCompactShift)));
  store(tcp + kTcpWindowOffset, Be16(static_cast<uint16_t>(word >> 16)));
  store(tcp + kTcpUrgentOffset, Be16(static_cast<uint16_t>(word)));
}

inline bool read_compact_signature(const uint8_t* tcp, uint64_t key, Signature& signature) noexcept {
  using contract::Be16;
  using contract::Be32;
  using contract::load;
  const uint32_t word =
      uint32_t{load<Be16>(tcp + kTcpWindowOffset).host()} << 16 | load<Be16>(tcp + kTcpUrgentOffset).host();
  signature = {word >> 28, 0, load<Be32>(tcp + kTcpSequenceOffset).host(),
               uint64_t{load<Be32>(tcp + kTcpSequenceOffset + 4).host()} << kCompactShift};
  return (word & kSignatureFlowMask) == (detail::signature_check(signature, key) & kSignatureFlowMask);
}

/// The whole departure of a compact signature: the latest moment not after `now` with these bits.
inline uint64_t expand_departure(uint64_t compact, uint64_t now) noexcept {
  return now - ((now - compact) & (kCompactDepartureMask | ((1u << kCompactShift) - 1)));
}

}  // namespace warmswap::gen
