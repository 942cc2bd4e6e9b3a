#include "dataplane/backend/load_sampler.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <fstream>
#include <sstream>

namespace warmswap::backend {
namespace {

/// Runnable tasks per CPU that count as all of the scale.
constexpr double kFullRunQueue = 16;

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc{} && stop == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// Cuts the next line off `text`.
std::string_view next_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

/// Cuts the next word off `line`; empty at its end.
std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const size_t end = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

/// The rest of the first line that begins with `key`.
std::optional<std::string_view> line_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = next_line(text);
    if (next_word(line) == key) return line;
  }
  return std::nullopt;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return file ? text.str() : std::string();
}

std::optional<uint64_t> read_number(const std::string& path) {
  std::string text = read_file(path);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return number(text);
}

uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

uint16_t part(double of_one) {
  return static_cast<uint16_t>(std::lround(std::clamp(of_one, 0.0, 1.0) * 65535));
}

/// A whole disk: sda, vdb, nvme0n1, mmcblk0; not sda1, nvme0n1p2, loop3, ram0, dm-0 (its disks count themselves).
bool is_whole_disk(std::string_view name) {
  for (const std::string_view prefix : {"loop", "ram", "dm-", "zram", "sr", "fd", "md"}) {
    if (name.starts_with(prefix)) return false;
  }
  // Names that end in a number anyway call their partitions p1, p2, ...
  if (name.starts_with("nvme") || name.starts_with("mmcblk")) return name.find('p') == std::string_view::npos;
  return !name.empty() && (name.back() < '0' || name.back() > '9');
}

}  // namespace

std::optional<CpuTimes> parse_cpu_times(std::string_view proc_stat) {
  auto line = line_of(proc_stat, "cpu");
  if (!line) return std::nullopt;
  // user nice system idle iowait irq softirq steal; guest times are in user and nice already.
  CpuTimes times;
  for (int field = 0; field < 8; ++field) {
    const auto value = number(next_word(*line));
    if (!value) return std::nullopt;
    times.total += *value;
    if (field != 3 && field != 4) times.busy += *value;
  }
  return times;
}

std::optional<uint32_t> parse_running(std::string_view proc_stat) {
  auto line = line_of(proc_stat, "procs_running");
  const auto value = line ? number(next_word(*line)) : std::nullopt;
  return value ? std::optional(static_cast<uint32_t>(*value)) : std::nullopt;
}

uint32_t count_cpus(std::string_view proc_stat) {
  uint32_t cpus = 0;
  while (!proc_stat.empty()) {
    std::string_view line = next_line(proc_stat);
    const std::string_view word = next_word(line);
    if (word.starts_with("cpu") && word.size() > 3) ++cpus;
  }
  return cpus;
}

std::optional<double> parse_memory_in_use(std::string_view proc_meminfo) {
  auto total_line = line_of(proc_meminfo, "MemTotal:");
  auto available_line = line_of(proc_meminfo, "MemAvailable:");
  const auto total = total_line ? number(next_word(*total_line)) : std::nullopt;
  const auto available = available_line ? number(next_word(*available_line)) : std::nullopt;
  if (!total || !available || *total == 0) return std::nullopt;
  return 1 - static_cast<double>(std::min(*available, *total)) / static_cast<double>(*total);
}

std::optional<uint64_t> parse_busiest_disk(std::string_view proc_diskstats) {
  std::optional<uint64_t> busiest;
  while (!proc_diskstats.empty()) {
    std::string_view line = next_line(proc_diskstats);
    next_word(line);
    next_word(line);
    if (!is_whole_disk(next_word(line))) continue;
    // After major, minor and name: 4 of reads, 4 of writes, requests under way, then the time with any.
    std::string_view word;
    for (int field = 0; field < 10; ++field) word = next_word(line);
    if (const auto value = number(word)) busiest = std::max(busiest.value_or(0), *value);
  }
  return busiest;
}

std::optional<uint32_t> parse_connections(std::string_view proc_net_sockstat) {
  auto line = line_of(proc_net_sockstat, "TCP:");
  if (!line || next_word(*line) != "inuse") return std::nullopt;
  const auto value = number(next_word(*line));
  return value ? std::optional(static_cast<uint32_t>(*value)) : std::nullopt;
}

LoadSampler::LoadSampler(std::string interface, uint32_t link_mbps)
    : interface_(std::move(interface)), link_mbps_(link_mbps) {}

contract::AgentLoad LoadSampler::sample() {
  contract::AgentLoad load;
  const uint64_t now = monotonic_ns();
  const double seconds = static_cast<double>(now - sampled_ns_) / 1e9;
  const bool first = sampled_ns_ == 0;
  sampled_ns_ = now;

  const std::string stat = read_file("/proc/stat");
  const auto cpu = parse_cpu_times(stat);
  if (cpu && cpu_ && cpu->total > cpu_->total && cpu->busy >= cpu_->busy) {
    load.cpu = part(static_cast<double>(cpu->busy - cpu_->busy) / static_cast<double>(cpu->total - cpu_->total));
  }
  cpu_ = cpu;
  const uint32_t cpus = count_cpus(stat);
  if (const auto running = parse_running(stat); running && cpus > 0) {
    // This process runs while it reads the file.
    load.run_queue = part((*running - std::min(*running, 1u)) / static_cast<double>(cpus) / kFullRunQueue);
  }
  if (const auto memory = parse_memory_in_use(read_file("/proc/meminfo"))) load.memory = part(*memory);
  const auto disk_ms = parse_busiest_disk(read_file("/proc/diskstats"));
  if (!first && disk_ms && disk_ms_ && *disk_ms >= *disk_ms_) {
    load.disk = part(static_cast<double>(*disk_ms - *disk_ms_) / 1000 / seconds);
  }
  disk_ms_ = disk_ms;
  if (const auto connections = parse_connections(read_file("/proc/net/sockstat"))) load.connections = *connections;

  const std::string directory = "/sys/class/net/" + interface_ + "/";
  const uint64_t mbps = link_mbps_ > 0 ? link_mbps_ : read_number(directory + "speed").value_or(0);
  const auto received = read_number(directory + "statistics/rx_bytes");
  const auto sent = read_number(directory + "statistics/tx_bytes");
  if (!first && mbps > 0 && received && sent && received_ && sent_ && *received >= *received_ && *sent >= *sent_) {
    const auto bytes = static_cast<double>(std::max(*received - *received_, *sent - *sent_));
    load.network = part(bytes * 8 / 1e6 / seconds / static_cast<double>(mbps));
  }
  received_ = received;
  sent_ = sent;
  return load;
}

}  // namespace warmswap::backend
