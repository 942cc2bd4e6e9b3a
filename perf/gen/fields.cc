#include "perf/gen/fields.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace warmswap::gen {
namespace {

constexpr std::string_view kLifeCycle = "life-cycle";
constexpr std::string_view kImix = "64:7,594:4,1518:1";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<uint32_t> parse_whole(std::string_view text, uint32_t least, uint32_t most) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) return std::nullopt;
  return value;
}

/// "what" or "what:weight".
template <typename T, typename Read, typename Make>
bool read_weighted(std::string_view text, std::vector<T>& out, Read read, Make make) {
  constexpr uint32_t kMostWeight = 1'000'000;
  out.clear();
  for (const std::string_view part : split(text, ',')) {
    const size_t colon = part.find(':');
    const auto what = read(part.substr(0, colon));
    const auto weight = colon == std::string_view::npos ? 1 : parse_whole(part.substr(colon + 1), 1, kMostWeight);
    if (!what || !weight) return false;
    out.push_back(make(*what, *weight));
  }
  return true;
}

template <typename T, typename Read>
bool read_list(std::string_view text, std::vector<T>& out, Read read) {
  out.clear();
  for (const std::string_view part : split(text, ',')) {
    const auto value = read(part);
    if (!value) return false;
    out.push_back(*value);
  }
  return true;
}

bool read_name(std::string_view text, StreamConfig& stream) {
  stream.name = text;
  if (text.empty() || text.size() > 32) return false;
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
         std::string_view::npos;
}

bool read_protocol(std::string_view text, StreamConfig& stream) {
  stream.transport = text == "udp" ? Transport::udp : Transport::tcp;
  return text == "udp" || text == "tcp";
}

bool read_vips(std::string_view text, StreamConfig& stream) {
  constexpr size_t kMostVips = 4096;
  return read_list(text, stream.vips, parse_ip) && stream.vips.size() <= kMostVips;
}

bool read_sources(std::string_view text, StreamConfig& stream) {
  constexpr size_t kMostSources = 64;
  return read_list(text, stream.sources, parse_address_prefix) && stream.sources.size() <= kMostSources;
}

bool read_range(std::string_view text, PortRange& out) {
  const auto range = parse_port_range(text);
  if (range) out = *range;
  return range.has_value();
}

bool read_flows(std::string_view text, StreamConfig& stream) {
  const auto flows = parse_amount(text);
  if (!flows || *flows < 1 || *flows > static_cast<double>(kMaxFlows) || *flows != std::floor(*flows)) return false;
  stream.flows = static_cast<uint64_t>(*flows);
  return true;
}

bool read_choice(std::string_view text, StreamConfig& stream) {
  constexpr std::string_view kZipf = "zipf";
  if (text == "uniform") stream.choice = Choice::uniform;
  if (text == "sequential") stream.choice = Choice::sequential;
  if (text == "fresh") stream.choice = Choice::fresh;
  if (text == "uniform" || text == "sequential" || text == "fresh") return true;
  if (!text.starts_with(kZipf)) return false;
  stream.choice = Choice::zipf;
  text.remove_prefix(kZipf.size());
  if (text.empty()) return true;
  const auto exponent = text.front() == ':' ? parse_amount(text.substr(1)) : std::nullopt;
  if (!exponent || *exponent < 0.01 || *exponent > 10) return false;
  stream.zipf_exponent = *exponent;
  return true;
}

bool read_sizes(std::string_view text, StreamConfig& stream) {
  return read_weighted(
      text == "imix" ? kImix : text, stream.sizes,
      [](std::string_view size) { return parse_whole(size, kSmallestFrame, kLargestFrame); },
      [](uint32_t size, uint32_t weight) {
        return SizeWeight{static_cast<uint16_t>(size), weight};
      });
}

std::optional<Kind> parse_kind(std::string_view text) {
  for (const Kind kind : {Kind::syn, Kind::ack, Kind::data, Kind::fin}) {
    if (to_string(kind) == text) return kind;
  }
  return std::nullopt;
}

bool read_kinds(std::string_view text, StreamConfig& stream) {
  stream.life_cycle.reset();
  if (text.starts_with(kLifeCycle)) {
    text.remove_prefix(kLifeCycle.size());
    constexpr uint32_t kUsualData = 8;
    stream.life_cycle = text.empty()          ? kUsualData
                        : text.front() == ':' ? parse_whole(text.substr(1), 0, 1'000'000)
                                              : std::nullopt;
    return stream.life_cycle.has_value();
  }
  return read_weighted(text, stream.kinds, parse_kind, [](Kind kind, uint32_t weight) {
    return KindWeight{kind, weight};
  });
}

bool read_weight(std::string_view text, StreamConfig& stream) {
  const auto weight = parse_amount(text);
  if (!weight || *weight <= 0 || *weight > 1e6) return false;
  stream.weight = *weight;
  return true;
}

bool read_fixed_rate(std::string_view text, StreamConfig& stream) {
  const auto rate = parse_rate(text);
  if (!rate || std::isinf(*rate)) return false;
  stream.fixed_rate = *rate;
  return true;
}

constexpr std::array kFields = {
    StreamField{"name", "NAME", "what results call the stream", "1 to 32 letters, digits, '-', '_' or '.'", read_name},
    StreamField{"protocol", "tcp|udp", "transport protocol", "tcp or udp", read_protocol},
    StreamField{"vip", "LIST", "addresses sent to, separated by commas, all IPv4 or all IPv6",
                "addresses separated by commas, such as 198.51.100.10,198.51.100.11", read_vips},
    StreamField{"port", "RANGE", "destination port, or a range of them: 80 or 8000-8099",
                "a port or a range of ports from 1 to 65535, such as 80 or 8000-8099",
                [](std::string_view text, StreamConfig& stream) { return read_range(text, stream.ports); }},
    StreamField{"source", "LIST", "prefixes of the clients' addresses; 10.0.0.0/8 or 2001:db8:1::/64 when left out",
                "prefixes separated by commas, such as 10.0.0.0/8, with zero host bits", read_sources},
    StreamField{"source_port", "RANGE", "source ports", "a range of ports from 1 to 65535, such as 1024-65535",
                [](std::string_view text, StreamConfig& stream) { return read_range(text, stream.source_ports); }},
    StreamField{"flows", "N", "different 5-tuples, up to 200M", "a whole number from 1 to 200M, such as 1000 or 1M",
                read_flows},
    StreamField{"choice", "HOW",
                "whose packet is next: uniform, zipf[:EXPONENT], sequential, or fresh (never the same flow again; "
                "`flows` is unused)",
                "uniform, zipf, zipf:EXPONENT (0.01 to 10), sequential or fresh", read_choice},
    StreamField{"size", "SIZES",
                "frame sizes with FCS: 64, or with weights 64:7,594:4,1518:1, or imix for just these. A size below "
                "what the headers need is raised to that",
                "a frame size from 64 to 9018, SIZE:WEIGHT,SIZE:WEIGHT,… or imix", read_sizes},
    StreamField{
        "kinds", "KINDS",
        "TCP segments with weights: syn, ack, data, fin (syn:1,data:8,fin:1), or life-cycle[:N]: each flow does "
        "SYN, N data segments, FIN, then the same from another source port. Only data takes `size`",
        "syn, ack, data or fin, with weights as in syn:1,data:8, or life-cycle:N", read_kinds},
    StreamField{"weight", "N", "share of the rate, beside other streams", "a number above 0", read_weight},
    StreamField{"fixed_rate", "RATE", "packets a second whatever the rate of the whole; `weight` is unused then",
                "a rate such as 100kpps", read_fixed_rate},
};

}  // namespace

std::span<const StreamField> stream_fields() {
  return kFields;
}

std::optional<std::string> contradiction(const StreamConfig& stream) {
  bool only_data = !stream.life_cycle;
  bool any_data = stream.life_cycle.has_value();
  for (const KindWeight& kind : stream.kinds) {
    only_data = only_data && kind.kind == Kind::data;
    any_data = any_data || kind.kind == Kind::data;
  }
  if (stream.transport == Transport::udp && !only_data) {
    return fmt::format("stream {}: udp has no {}: leave `kinds` out", stream.name, format_kinds(stream));
  }
  if (!any_data && stream.sizes != std::vector<SizeWeight>(1)) {
    return fmt::format("stream {}: `size` is for data segments, and its kinds ({}) have none", stream.name,
                       format_kinds(stream));
  }
  if (stream.life_cycle && stream.choice == Choice::fresh) {
    return fmt::format("stream {}: a life cycle needs flows that come again, not choice = fresh", stream.name);
  }
  for (const IpAddress& vip : stream.vips) {
    if (vip.v6 != stream.v6()) {
      return fmt::format("stream {}: vips {} and {} are of different families; make two streams", stream.name,
                         format_ip(stream.vips.front()), format_ip(vip));
    }
  }
  return std::nullopt;
}

}  // namespace warmswap::gen
