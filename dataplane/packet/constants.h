// Constants of the arithmetic over many packets at once (ipip.h, balance/columns.h). In memory, where the compiler
// cannot see their values: gcc 12 makes a constant that it does see anew in every round of a loop once the vector
// registers run out, two instructions each, a fifth of the loop. Seen as loads they are read into registers before the
// loop.
#pragma once

#include <cstdint>

namespace warmswap::packet {

struct Constants {
  uint64_t one;
  uint64_t low8;
  uint64_t second8;  // the byte above it
  uint64_t low16;
  uint64_t low32;
  uint64_t all;
  uint64_t sign;
  uint64_t minus_two_16;  // the largest 16-bit number less one
  uint64_t ip_bytes;      // of an IPv4 header without options, and of a TCP one
  uint64_t udp_bytes;     // of a UDP header
  uint64_t udp;           // protocols
  uint64_t tcp;
  uint64_t tcp_offset;    // the data offset in bytes, where the byte that holds it is moved right by 2
  uint64_t fixed_ip0;     // version, header length, MF and fragment offset in an IPv4 header's first 8 bytes
  uint64_t version_ihl;   // what of those is not zero
  uint64_t hash_length;   // contract::FlowWords: the length that SipHash adds
  uint64_t copied;        // TOS, length, identification and DF of the first 8 bytes, read as one big-endian number
  uint64_t added_length;  // of the outer header, in its place there
};

extern const Constants kConstants;

}  // namespace warmswap::packet
