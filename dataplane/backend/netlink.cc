#include "dataplane/backend/netlink.h"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

namespace warmswap::backend {
namespace {

using contract::Error;

/// libmnl asks for at least the larger of 8 KiB and a page; dumps come in messages of up to 32 KiB.
using Buffer = std::array<char, 32768>;

struct SocketCloser {
  void operator()(mnl_socket* socket) const noexcept { mnl_socket_close(socket); }
};
using Socket = std::unique_ptr<mnl_socket, SocketCloser>;

Error netlink_error(const char* what) {
  return Error{std::string(what) + ": " + std::strerror(errno)};
}

Result<Socket> open_socket() {
  Socket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
  if (!socket) return netlink_error("cannot open a netlink socket");
  if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) return netlink_error("cannot bind a netlink socket");
  return socket;
}

using MessageHandler = std::function<void(const nlmsghdr&)>;

int call_handler(const nlmsghdr* message, void* handler) {
  (*static_cast<MessageHandler*>(handler))(*message);
  return MNL_CB_OK;
}

/// Sends one request and hands every answer to `handler`. Returns 0 or a positive errno.
int transact(nlmsghdr* request, MessageHandler handler) {
  Result<Socket> socket = open_socket();
  if (!socket) return errno;
  const unsigned port = mnl_socket_get_portid(socket->get());
  request->nlmsg_flags |= NLM_F_REQUEST;
  request->nlmsg_seq = 1;
  if (mnl_socket_sendto(socket->get(), request, request->nlmsg_len) < 0) return errno;
  // The request's buffer may not be reused: the handler may still point into it.
  Buffer answer;
  for (;;) {
    const ssize_t bytes = mnl_socket_recvfrom(socket->get(), answer.data(), answer.size());
    if (bytes < 0) return errno;
    const int verdict = mnl_cb_run(answer.data(), static_cast<size_t>(bytes), 1, port, call_handler, &handler);
    if (verdict < 0) return errno;
    const bool single = (request->nlmsg_flags & NLM_F_DUMP) == 0;
    if (verdict == MNL_CB_STOP || single) return 0;
  }
}

/// Asks for a whole table and appends to `rows` what `read` makes of each message. When the table changes during the
/// answer, the kernel says so (NLM_F_DUMP_INTR) and libmnl turns that into EINTR: then it asks again from the start.
template <typename Row, typename Read>
int dump(nlmsghdr* request, std::vector<Row>& rows, Read read) {
  constexpr int kAttempts = 20;
  request->nlmsg_flags |= NLM_F_DUMP;
  int failed = EINTR;
  for (int attempt = 0; attempt < kAttempts && failed == EINTR; ++attempt) {
    rows.clear();
    failed = transact(request, [&](const nlmsghdr& message) { read(message, rows); });
  }
  return failed;
}

Error dump_error(const char* what, int failed) {
  if (failed == EINTR) return Error{fmt::format("cannot list {}: they change faster than they can be read", what)};
  return Error{fmt::format("cannot list {}: {}", what, std::strerror(failed))};
}

struct WantedAttribute {
  uint16_t type;
  uint32_t value;
};

int read_wanted(const nlattr* attribute, void* data) {
  auto& wanted = *static_cast<WantedAttribute*>(data);
  if (mnl_attr_get_type(attribute) == wanted.type && mnl_attr_get_payload_len(attribute) >= sizeof(uint32_t))
    wanted.value = mnl_attr_get_u32(attribute);
  return MNL_CB_OK;
}

/// The 32-bit attribute `type` of a message whose fixed part is `header_bytes` long; 0 when absent.
uint32_t u32_attribute(const nlmsghdr& message, size_t header_bytes, uint16_t type) {
  WantedAttribute wanted{.type = type, .value = 0};
  mnl_attr_parse(&message, static_cast<unsigned>(header_bytes), read_wanted, &wanted);
  return wanted.value;
}

template <typename T>
T* put_header(nlmsghdr* request) {
  return static_cast<T*>(mnl_nlmsg_put_extra_header(request, sizeof(T)));
}

template <typename T>
const T& header_of(const nlmsghdr& message) {
  return *static_cast<const T*>(mnl_nlmsg_get_payload(&message));
}

struct FilterText {
  std::string_view kind;
  const nlattr* options = nullptr;
};

int read_filter_text(const nlattr* attribute, void* data) {
  auto& text = *static_cast<FilterText*>(data);
  if (mnl_attr_get_type(attribute) == TCA_KIND) text.kind = mnl_attr_get_str(attribute);
  if (mnl_attr_get_type(attribute) == TCA_OPTIONS) text.options = attribute;
  return MNL_CB_OK;
}

int read_bpf_option(const nlattr* attribute, void* data) {
  auto& filter = *static_cast<TcFilter*>(data);
  if (mnl_attr_get_type(attribute) == TCA_BPF_NAME) filter.name = mnl_attr_get_str(attribute);
  if (mnl_attr_get_type(attribute) == TCA_BPF_ID) filter.program_id = mnl_attr_get_u32(attribute);
  return MNL_CB_OK;
}

TcFilter read_filter(const nlmsghdr& message) {
  const auto& header = header_of<tcmsg>(message);
  FilterText text;
  mnl_attr_parse(&message, sizeof(tcmsg), read_filter_text, &text);
  TcFilter filter{.priority = TC_H_MAJ(header.tcm_info) >> 16,
                  .handle = header.tcm_handle,
                  .chain = u32_attribute(message, sizeof(tcmsg), TCA_CHAIN),
                  .name = std::string(text.kind)};
  if (text.kind == "bpf" && text.options != nullptr) mnl_attr_parse_nested(text.options, read_bpf_option, &filter);
  return filter;
}

int dump_filters(int ifindex, uint32_t side, std::vector<TcFilter>& filters) {
  Buffer buffer;
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = RTM_GETTFILTER;
  auto* wanted = put_header<tcmsg>(request);
  wanted->tcm_family = AF_UNSPEC;
  wanted->tcm_ifindex = ifindex;
  wanted->tcm_parent = TC_H_MAKE(TC_H_CLSACT, side);
  return dump(request, filters, [](const nlmsghdr& message, std::vector<TcFilter>& rows) {
    // Each filter appears with its handle; the head of a priority without one is not a filter.
    if (header_of<tcmsg>(message).tcm_handle != 0) rows.push_back(read_filter(message));
  });
}

}  // namespace

Result<std::vector<Be32>> interface_addresses(int ifindex) {
  Buffer buffer;
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = RTM_GETADDR;
  put_header<ifaddrmsg>(request)->ifa_family = AF_INET;
  std::vector<Be32> addresses;
  const int failed = dump(request, addresses, [&](const nlmsghdr& message, std::vector<Be32>& rows) {
    if (static_cast<int>(header_of<ifaddrmsg>(message).ifa_index) != ifindex) return;
    const Be32 address = Be32::from_raw(u32_attribute(message, sizeof(ifaddrmsg), IFA_LOCAL));
    if (address.raw() != 0 && std::find(rows.begin(), rows.end(), address) == rows.end()) rows.push_back(address);
  });
  if (failed != 0) return dump_error("the addresses", failed);
  return addresses;
}

Result<bool> is_local_address(Be32 address) {
  Buffer buffer;
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = RTM_GETROUTE;
  auto* route = put_header<rtmsg>(request);
  route->rtm_family = AF_INET;
  route->rtm_dst_len = 32;
  mnl_attr_put_u32(request, RTA_DST, address.raw());
  bool local = false;
  const int failed =
      transact(request, [&](const nlmsghdr& answer) { local = header_of<rtmsg>(answer).rtm_type == RTN_LOCAL; });
  // A host that knows no way to the address does not own it either.
  if (failed == ENETUNREACH || failed == EHOSTUNREACH || failed == EACCES || failed == EINVAL) return false;
  if (failed != 0) return Error{std::string("cannot look up a route: ") + std::strerror(failed)};
  return local;
}

Result<std::vector<int>> default_route_interfaces() {
  Buffer buffer;
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = RTM_GETROUTE;
  put_header<rtmsg>(request)->rtm_family = AF_INET;
  std::vector<int> interfaces;
  const int failed = dump(request, interfaces, [](const nlmsghdr& message, std::vector<int>& rows) {
    const auto& route = header_of<rtmsg>(message);
    if (route.rtm_dst_len != 0 || route.rtm_table != RT_TABLE_MAIN || route.rtm_type != RTN_UNICAST) return;
    const uint32_t out = u32_attribute(message, sizeof(rtmsg), RTA_OIF);
    if (out != 0) rows.push_back(static_cast<int>(out));
  });
  if (failed != 0) return dump_error("the routes", failed);
  return interfaces;
}

Result<int> index_of(const std::string& interface) {
  const unsigned index = if_nametoindex(interface.c_str());
  if (index == 0) return Error{fmt::format("there is no interface {}: `ip link` lists them", interface)};
  return static_cast<int>(index);
}

Result<std::vector<TcFilter>> ingress_filters(int ifindex) {
  std::vector<TcFilter> filters;
  const int failed = dump_filters(ifindex, TC_H_MIN_INGRESS, filters);
  if (failed != 0) return dump_error("the tc filters", failed);
  return filters;
}

Result<size_t> clsact_filter_count(int ifindex) {
  size_t count = 0;
  for (const uint32_t side : {TC_H_MIN_INGRESS, TC_H_MIN_EGRESS}) {
    std::vector<TcFilter> filters;
    const int failed = dump_filters(ifindex, side, filters);
    if (failed != 0) return dump_error("the tc filters", failed);
    count += filters.size();
  }
  return count;
}

}  // namespace warmswap::backend
