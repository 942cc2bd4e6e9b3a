// XDP before AF_XDP: vip traffic goes to the workers' sockets, everything else to the kernel untouched.
//
// A packet is vip traffic when the vip map has its destination (address, protocol, port) or (address, protocol, any);
// ICMP and fragments, which carry no usable port, when the map has the address at all. What cannot be read here (cut
// short, IPv6, ARP) is not for us to judge and passes.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "dataplane/steer/steer_layout.h"

#define IP_FRAGMENT 0x3fff /* more fragments, or an offset */

// The name is what the AF_XDP driver looks for.
struct {
  __uint(type, BPF_MAP_TYPE_XSKMAP);
  __type(key, __u32);
  __type(value, __u32);
  __uint(max_entries, 64);
} xsks_map SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, struct steer_key);
  __type(value, __u8);
  __uint(max_entries, STEER_VIP_CAPACITY);
  __uint(map_flags, BPF_F_NO_PREALLOC);
} steer_vips SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, STEER_COUNTERS);
} steer_counters SEC(".maps");

struct vlan_tag {
  __be16 tci;
  __be16 ether_type;
};

static __always_inline void count(__u32 which) {
  __u64* value = bpf_map_lookup_elem(&steer_counters, &which);
  if (value) ++*value;
}

static __always_inline int to_worker(struct xdp_md* context) {
  // Without a socket on the queue a silent pass would lose the packet in the kernel: drop it where it is counted.
  const long action = bpf_redirect_map(&xsks_map, context->rx_queue_index, XDP_DROP);
  count(action == XDP_REDIRECT ? STEER_REDIRECTED : STEER_NO_SOCKET);
  return (int)action;
}

static __always_inline int is_vip(__be32 address, __u8 protocol, __be16 port) {
  struct steer_key key = {.address = address, .port = port, .protocol = protocol};
  return bpf_map_lookup_elem(&steer_vips, &key) != NULL;
}

SEC("xdp")
int warmswap_steer(struct xdp_md* context) {
  void* data = (void*)(long)context->data;
  void* end = (void*)(long)context->data_end;
  struct ethhdr* ethernet = data;
  if ((void*)(ethernet + 1) > end) return XDP_PASS;
  // What was sent to a group may not travel on (RFC 1122 section 3.3.6).
  if (ethernet->h_dest[0] & 1) return XDP_PASS;
  __be16 ether_type = ethernet->h_proto;
  void* next = ethernet + 1;
#pragma unroll
  for (int tags = 0; tags < 2; ++tags) {
    if (ether_type != bpf_htons(ETH_P_8021Q) && ether_type != bpf_htons(ETH_P_8021AD)) break;
    struct vlan_tag* tag = next;
    if ((void*)(tag + 1) > end) return XDP_PASS;
    ether_type = tag->ether_type;
    next = tag + 1;
  }
  if (ether_type != bpf_htons(ETH_P_IP)) return XDP_PASS;

  struct iphdr* ip = next;
  if ((void*)(ip + 1) > end || ip->version != 4 || ip->ihl < 5) return XDP_PASS;
  const __be32 address = ip->daddr;
  if (ip->protocol == IPPROTO_ICMP || (ip->frag_off & bpf_htons(IP_FRAGMENT))) {
    return is_vip(address, 0, 0) ? to_worker(context) : XDP_PASS;
  }
  if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP) return XDP_PASS;
  __be16* ports = (void*)ip + ip->ihl * 4;
  if ((void*)(ports + 2) > end) return XDP_PASS;
  if (is_vip(address, ip->protocol, ports[1]) || is_vip(address, ip->protocol, 0)) return to_worker(context);
  return XDP_PASS;
}

// The two kernel helpers used (map look-up, redirect) ask for no GPL program.
char _license[] SEC("license") = "Apache-2.0";
