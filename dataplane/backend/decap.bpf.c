/* Removes the outer header of IPIP packets (RFC 2003) that a balancer sent to this host for one of its vips, so that
 * the kernel's TCP and UDP see the client's own packet. Runs at tc ingress; anything else passes untouched, also IPIP
 * for other tunnels of the host.
 *
 * Reads go through bpf_skb_load_bytes, because GRO may leave even headers outside the linear part. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "dataplane/backend/decap_layout.h"

#define IPV4_FRAGMENT_MASK 0x3fff /* more-fragments flag and offset */
#define IPV4_MAX_HEADER 60
#define VLAN_ID_MASK 0x0fff

/* The ECN field, RFC 3168 section 5. */
enum { NOT_ECT = 0, ECT1 = 1, ECT0 = 2, CE = 3, ECN_MASK = 3 };

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, WARMSWAP_MAX_VIPS);
  __type(key, __be32);
  __type(value, __u32);
} vips SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, WARMSWAP_MAX_ADDRESSES);
  __type(key, __be32);
  __type(value, __u32);
} addresses SEC(".maps");

/* Outer sources that may send to the vips; "any" is the entry 0.0.0.0/0. */
struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, WARMSWAP_MAX_SOURCES);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct warmswap_source_prefix);
  __type(value, __u32);
} sources SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, WARMSWAP_DECAP_OUTCOME_COUNT);
  __type(key, __u32);
  __type(value, __u64);
} outcomes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct warmswap_attachment);
} attachment SEC(".maps");

static __always_inline int finish(enum warmswap_decap_outcome outcome, int action) {
  const __u32 key = outcome;
  __u64* count = bpf_map_lookup_elem(&outcomes, &key);
  if (count) *count += 1;
  return action;
}

/* TC_ACT_UNSPEC lets filters behind this one have their say, also about the inner packet. */
#define PASS(outcome) finish(WARMSWAP_DECAP_##outcome, TC_ACT_UNSPEC)
#define DROP(outcome) finish(WARMSWAP_DECAP_##outcome, TC_ACT_SHOT)

/* A correct header sums to 0xffff together with its checksum field (RFC 791, RFC 1071). */
static __always_inline int header_sum_is_right(struct __sk_buff* skb, __u32 offset, __u32 bytes) {
  __u32 header[IPV4_MAX_HEADER / 4] = {};
  if (bytes < sizeof(struct iphdr) || bytes > sizeof(header)) return 0;
  if (bpf_skb_load_bytes(skb, offset, header, bytes) < 0) return 0;
  __s64 sum = bpf_csum_diff(0, 0, header, sizeof(header), 0);
  if (sum < 0) return 0;
  __u32 folded = (__u32)sum;
  folded = (folded & 0xffff) + (folded >> 16);
  folded = (folded & 0xffff) + (folded >> 16);
  return folded == 0xffff;
}

/* The inner ECN field after decapsulation: RFC 6040 figure 4. The caller has dealt with the one cell that drops. */
static __always_inline __u8 combined_ecn(__u8 inner, __u8 outer) {
  if (inner == NOT_ECT || inner == CE) return inner;
  if (outer == CE || outer == ECT1) return outer;
  return inner;
}

/* Rewrites the inner TOS byte and its checksum. The header's sum stays the same, so a checksum the NIC computed over
 * the whole packet stays right too. */
static __always_inline int set_inner_tos(struct __sk_buff* skb, __u32 inner_offset, __u8 from, __u8 to) {
  /* The TOS byte is the low half of the first big-endian word. */
  if (bpf_l3_csum_replace(skb, inner_offset + offsetof(struct iphdr, check), bpf_htons(from), bpf_htons(to), 2) < 0)
    return -1;
  return (int)bpf_skb_store_bytes(skb, inner_offset + offsetof(struct iphdr, tos), &to, sizeof(to), 0);
}

SEC("tc")
int warmswap_decap(struct __sk_buff* skb) {
  struct iphdr outer, inner;
  if (skb->protocol != bpf_htons(ETH_P_IP)) return TC_ACT_UNSPEC;
  /* A tagged packet belongs to a VLAN interface above this one. Id 0 is only a priority. */
  if (skb->vlan_present && (skb->vlan_tci & VLAN_ID_MASK) != 0) return TC_ACT_UNSPEC;
  if (bpf_skb_load_bytes(skb, ETH_HLEN, &outer, sizeof(outer)) < 0) return TC_ACT_UNSPEC;
  if (outer.version != 4 || outer.protocol != IPPROTO_IPIP) return TC_ACT_UNSPEC;

  if (!bpf_map_lookup_elem(&addresses, &outer.daddr)) return PASS(passed_other_destination);
  if (outer.frag_off & bpf_htons(IPV4_FRAGMENT_MASK)) return PASS(passed_fragment);
  const __u32 outer_bytes = outer.ihl * 4;
  const __u32 outer_total = bpf_ntohs(outer.tot_len);
  if (outer_bytes < sizeof(outer) || outer_total < outer_bytes + sizeof(inner) || outer_total > skb->len - ETH_HLEN)
    return DROP(dropped_malformed);
  if (!header_sum_is_right(skb, ETH_HLEN, outer_bytes)) return DROP(dropped_malformed);

  const __u32 inner_offset = ETH_HLEN + outer_bytes;
  if (bpf_skb_load_bytes(skb, inner_offset, &inner, sizeof(inner)) < 0) return DROP(dropped_malformed);
  if (inner.version != 4 || !bpf_map_lookup_elem(&vips, &inner.daddr)) return PASS(passed_other_inner);
  const struct warmswap_source_prefix source = {.length = 32, .address = outer.saddr};
  if (!bpf_map_lookup_elem(&sources, &source)) return DROP(dropped_source);
  /* The rest of the inner header is the kernel's to check, as for any packet; only the length could otherwise reach
   * into bytes the outer header did not vouch for. */
  if (inner.ihl < 5 || bpf_ntohs(inner.tot_len) > outer_total - outer_bytes) return DROP(dropped_malformed);

  const __u8 outer_ecn = outer.tos & ECN_MASK, inner_ecn = inner.tos & ECN_MASK;
  if (outer_ecn == CE && inner_ecn == NOT_ECT) return DROP(dropped_ecn);
  const __u8 ecn = combined_ecn(inner_ecn, outer_ecn);
  if (ecn != inner_ecn && set_inner_tos(skb, inner_offset, inner.tos, (inner.tos & ~ECN_MASK) | ecn) < 0)
    return DROP(dropped_failed);
  /* FIXED_GSO: what GRO merged keeps the segment size the client's TCP chose. */
  if (bpf_skb_adjust_room(skb, -(__s32)outer_bytes, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO) < 0)
    return DROP(dropped_failed);
  return ecn == inner_ecn ? PASS(decapsulated) : PASS(decapsulated_marked);
}

char _license[] SEC("license") = "Apache-2.0";
