// Answers every SYN with SYN and ACK, as a host that listens on all ports of all addresses would, and drops the rest:
// for measuring who asks without the cost of who answers. XDP, on the far end of a veth pair.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct frame {
  struct ethhdr ethernet;
  struct iphdr ip;
  struct tcphdr tcp;
} __attribute__((packed));

static __always_inline __u16 folded(__u32 sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (__u16)~sum;
}

static __always_inline __u32 words(const void* from, int count) {
  const __u16* word = from;
  __u32 sum = 0;
#pragma unroll
  for (int i = 0; i < count; ++i) sum += word[i];
  return sum;
}

SEC("xdp")
int answer_syn(struct xdp_md* context) {
  void* end = (void*)(long)context->data_end;
  struct frame* frame = (void*)(long)context->data;
  if ((void*)(frame + 1) > end) return XDP_DROP;
  if (frame->ethernet.h_proto != bpf_htons(ETH_P_IP) || frame->ip.ihl != 5 || frame->ip.protocol != IPPROTO_TCP)
    return XDP_DROP;
  if (!frame->tcp.syn || frame->tcp.ack) return XDP_DROP;

  __u8 mac[ETH_ALEN];
  __builtin_memcpy(mac, frame->ethernet.h_dest, ETH_ALEN);
  __builtin_memcpy(frame->ethernet.h_dest, frame->ethernet.h_source, ETH_ALEN);
  __builtin_memcpy(frame->ethernet.h_source, mac, ETH_ALEN);
  const __u32 address = frame->ip.saddr;
  frame->ip.saddr = frame->ip.daddr;
  frame->ip.daddr = address;
  frame->ip.tot_len = bpf_htons(sizeof(struct iphdr) + sizeof(struct tcphdr));
  frame->ip.check = 0;
  frame->ip.check = folded(words(&frame->ip, sizeof(struct iphdr) / 2));
  const __u16 port = frame->tcp.source;
  frame->tcp.source = frame->tcp.dest;
  frame->tcp.dest = port;
  frame->tcp.ack_seq = bpf_htonl(bpf_ntohl(frame->tcp.seq) + 1);
  frame->tcp.ack = 1;
  frame->tcp.doff = sizeof(struct tcphdr) / 4;
  frame->tcp.check = 0;
  frame->tcp.check = folded(words(&frame->tcp, sizeof(struct tcphdr) / 2) + words(&frame->ip.saddr, 4) +
                            bpf_htons(IPPROTO_TCP) + bpf_htons(sizeof(struct tcphdr)));
  bpf_xdp_adjust_tail(context, (int)sizeof(*frame) - (int)((long)context->data_end - (long)context->data));
  return XDP_TX;
}

char _license[] SEC("license") = "Apache-2.0";
