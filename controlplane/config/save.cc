#include "controlplane/config/save.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "controlplane/config/load.h"
#include "controlplane/config/text.h"

namespace warmswap::config {
namespace {

using contract::Error;
using contract::Result;
using Lines = std::vector<std::string>;

constexpr std::string_view kPoolHeader = "pool";
constexpr std::string_view kBackendHeader = "pool.backend";

Lines split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const size_t size = end == std::string_view::npos ? text.size() : end + 1;
    lines.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

std::string_view trimmed(std::string_view line) {
  const size_t begin = line.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t\r\n") + 1 - begin);
}

bool is_blank(const std::string& line) {
  return trimmed(line).empty();
}
bool is_comment(const std::string& line) {
  return trimmed(line).starts_with('#');
}

/// "pool.backend" of "[[pool.backend]]  # why"; empty for what is no header.
std::string header_of(const std::string& line) {
  std::string_view text = trimmed(line);
  if (!text.starts_with('[')) return {};
  text = text.substr(0, text.find(']'));
  std::string path;
  for (const char c : text) {
    if (c != '[' && c != ' ' && c != '\t' && c != '"' && c != '\'') path += c;
  }
  return path;
}

/// Where the value of `key = value` begins, when the line is that.
std::optional<size_t> value_at(const std::string& line, std::string_view key) {
  const size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string::npos || line.compare(begin, key.size(), key) != 0) return std::nullopt;
  const size_t equals = line.find_first_not_of(" \t", begin + key.size());
  if (equals == std::string::npos || line[equals] != '=') return std::nullopt;
  return std::min(line.find_first_not_of(" \t", equals + 1), line.size());
}

std::string name_in(const std::string& line) {
  const auto at = value_at(line, "name");
  if (!at || *at >= line.size()) return {};
  const char quote = line[*at];
  const size_t end = line.find(quote, *at + 1);
  if ((quote != '"' && quote != '\'') || end == std::string::npos) return {};
  return line.substr(*at + 1, end - *at - 1);
}

/// A [[pool]] or [[pool.backend]] with what belongs to it; comments below its last key belong to what follows.
struct Block {
  size_t begin = 0;     // the header
  size_t keys_end = 0;  // behind the last of its own keys, before the tables in it
  size_t end = 0;       // behind those
  std::string name;
};
/// Ends behind the last backend.
struct PoolBlock : Block {
  std::vector<Block> backends;
};

size_t behind_last_key(const Lines& lines, size_t begin, size_t end) {
  while (end > begin + 1 && (is_blank(lines[end - 1]) || is_comment(lines[end - 1]))) --end;
  return end;
}

std::vector<PoolBlock> blocks_of(const Lines& lines) {
  std::vector<PoolBlock> pools;
  Block* open = nullptr;  // whose own keys these lines are
  for (size_t i = 0; i < lines.size();) {
    const std::string header = header_of(lines[i]);
    size_t next = i + 1;
    while (next < lines.size() && header_of(lines[next]).empty()) ++next;
    const size_t end = behind_last_key(lines, i, next);
    open = nullptr;
    if (header == kPoolHeader) {
      pools.push_back({});
      open = &pools.back();
    } else if (header == kBackendHeader && !pools.empty()) {
      pools.back().backends.push_back({});
      open = &pools.back().backends.back();
    }
    if (open != nullptr) {
      *open = {i, end, end, ""};
      for (size_t k = i + 1; k < end && open->name.empty(); ++k) open->name = name_in(lines[k]);
    } else if (header.starts_with("pool.backend.") && !pools.empty() && !pools.back().backends.empty()) {
      pools.back().backends.back().end = end;
    }
    if (header.starts_with("pool") && !pools.empty()) pools.back().end = end;
    i = next;
  }
  return pools;
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

template <typename T>
std::string list_of(const std::vector<T>& values) {
  std::string out;
  for (const T& value : values) {
    if (!out.empty()) out += ", ";
    if constexpr (std::is_same_v<T, std::string>) {
      out += toml_string(value);
    } else {
      out += fmt::to_string(value);
    }
  }
  return "[" + out + "]";
}

void write_probe(Lines& out, const ProbeConfig& probe, const ProbeConfig& pool_probe) {
  const ProbeConfig pool = inherited_probe(pool_probe, probe.kind);
  out.emplace_back("\n");
  out.emplace_back("[pool.backend.probe]\n");
  const auto key = [&](bool differs, std::string_view name, const std::string& value) {
    if (differs) out.push_back(fmt::format("{} = {}\n", name, value));
  };
  const bool times = probe.interval != pool.interval || probe.timeout != pool.timeout;
  key(probe.kind != pool_probe.kind, "kind", toml_string(to_string(probe.kind)));
  key(probe.port != pool.port, "port", fmt::to_string(probe.port));
  key(times, "interval", toml_string(format_duration(probe.interval)));
  key(times, "timeout", toml_string(format_duration(probe.timeout)));
  key(probe.jitter_percent != pool.jitter_percent, "jitter", fmt::to_string(probe.jitter_percent));
  key(probe.fall != pool.fall, "fall", fmt::to_string(probe.fall));
  key(probe.rise != pool.rise, "rise", fmt::to_string(probe.rise));
  key(probe.path != pool.path, "path", toml_string(probe.path));
  key(probe.host != pool.host, "host", toml_string(probe.host));
  key(probe.expect_status != pool.expect_status, "expect_status", list_of(probe.expect_status));
  key(probe.tls != pool.tls, "tls", probe.tls ? "true" : "false");
  key(probe.verify != pool.verify, "verify", probe.verify ? "true" : "false");
  key(probe.ca_file != pool.ca_file, "ca_file", toml_string(probe.ca_file));
  key(probe.payload != pool.payload, "payload", toml_string(probe.payload));
  key(probe.expect != pool.expect, "expect", toml_string(probe.expect));
  key(probe.service != pool.service, "service", toml_string(probe.service));
  key(probe.command != pool.command, "command", list_of(probe.command));
  key(probe.via != pool.via, "via", toml_string(word_for(kProbeViaWords, probe.via)));
}

Lines write_backend(const BackendConfig& backend, const ProbeConfig& pool_probe) {
  Lines out = {"\n", "[[pool.backend]]\n", fmt::format("name = {}\n", toml_string(backend.name)),
               fmt::format("address = {}\n", toml_string(format_address(backend.address)))};
  const BackendConfig usual;
  if (backend.role == Role::warm) out.emplace_back("role = \"warm\"\n");
  if (backend.weight != usual.weight) out.push_back(fmt::format("weight = {}\n", backend.weight));
  if (backend.capacity != usual.capacity) out.push_back(fmt::format("capacity = {}\n", backend.capacity));
  if (!backend.domain.empty()) out.push_back(fmt::format("domain = {}\n", toml_string(backend.domain)));
  if (!backend.standby.empty()) out.push_back(fmt::format("standby = {}\n", toml_string(backend.standby)));
  if (!backend.enabled) out.emplace_back("enabled = false\n");
  if (backend.probe) write_probe(out, *backend.probe, pool_probe);
  return out;
}

/// Collects what happens to which line, so that numbers of lines stay true until all is known.
class Editor {
 public:
  explicit Editor(Lines lines) : lines_(std::move(lines)), gone_(lines_.size(), false) {}

  const Lines& lines() const noexcept { return lines_; }

  void set(const Block& block, std::string_view key, const std::string& value) {
    for (size_t i = block.begin + 1; i < block.keys_end; ++i) {
      const auto at = value_at(lines_[i], key);
      if (!at) continue;
      const size_t end = std::min(lines_[i].find_first_of(" \t\r\n#", *at), lines_[i].size());
      lines_[i].replace(*at, end - *at, value);
      return;
    }
    insert(block.keys_end, {fmt::format("{} = {}\n", key, value)});
  }

  /// With the comment right above it, and one of the blank lines around.
  void remove(const Block& block) {
    size_t begin = block.begin;
    while (begin > 0 && is_comment(lines_[begin - 1])) --begin;
    if (begin > 0 && is_blank(lines_[begin - 1])) --begin;
    for (size_t i = begin; i < block.end; ++i) gone_[i] = true;
  }

  void insert(size_t before, const Lines& more) {
    Lines& there = added_[before];
    there.insert(there.end(), more.begin(), more.end());
  }

  std::string text() const {
    std::string out;
    const auto append = [&out](const std::string& line) {
      if (!out.empty() && out.back() != '\n') out += '\n';
      out += line;
    };
    for (size_t i = 0; i <= lines_.size(); ++i) {
      if (const auto more = added_.find(i); more != added_.end()) {
        for (const std::string& line : more->second) append(line);
      }
      if (i < lines_.size() && !gone_[i]) append(lines_[i]);
    }
    return out;
  }

 private:
  Lines lines_;
  std::vector<bool> gone_;
  std::map<size_t, Lines> added_;  // by the line they stand before
};

Error unknown_form(const std::string& name, const std::string& what, std::string_view header) {
  return Error{
      fmt::format("{}: {} is not written in this file as [[{}]] with a key a line, which is all that can be edited: "
                  "change the file by hand, and reload",
                  name, what, header)};
}

/// What became of a backend: removed (`now` is null), added (`old` is null), or changed.
struct BackendChange {
  const BackendConfig* old;
  const BackendConfig* now;
  bool weight() const noexcept { return now->weight != old->weight; }
  bool enabled() const noexcept { return now->enabled != old->enabled; }
};

std::vector<BackendChange> backend_changes(const PoolConfig& before, const PoolConfig& after) {
  std::vector<BackendChange> changes;
  for (const BackendConfig& old : before.backends) {
    const BackendConfig* now = after.find_backend(old.name);
    if (now == nullptr || *now != old) changes.push_back({&old, now});
  }
  for (const BackendConfig& now : after.backends) {
    if (before.find_backend(now.name) == nullptr) changes.push_back({nullptr, &now});
  }
  return changes;
}

/// From one to the other, in the words of the commands.
std::vector<std::string> changes_between(const Config& before, const Config& after) {
  std::vector<std::string> words;
  for (const PoolConfig& pool : after.pools) {
    const PoolConfig* old_pool = before.find_pool(pool.name);
    if (old_pool == nullptr) continue;
    for (const BackendChange& change : backend_changes(*old_pool, pool)) {
      const std::string where = pool.name + "/" + (change.old != nullptr ? change.old : change.now)->name;
      if (change.now == nullptr || change.old == nullptr) {
        words.push_back((change.now == nullptr ? "remove " : "add ") + where);
        continue;
      }
      if (change.weight()) words.push_back(fmt::format("weight {} {}", where, change.now->weight));
      if (change.enabled()) words.push_back((change.now->enabled ? "enable " : "disable ") + where);
    }
  }
  return words;
}

/// The part of a drop-in that makes `after` of `before`.
Lines drop_in_lines(const PoolConfig& before, const PoolConfig& after) {
  Lines out;
  for (const BackendChange& change : backend_changes(before, after)) {
    if (change.old == nullptr) {
      const Lines lines = write_backend(*change.now, after.probe);
      out.insert(out.end(), lines.begin(), lines.end());
      continue;
    }
    out.insert(out.end(), {"\n", "[[pool.backend]]\n", fmt::format("name = {}\n", toml_string(change.old->name))});
    if (change.now == nullptr) {
      out.emplace_back("removed = true\n");
      continue;
    }
    if (change.weight()) out.push_back(fmt::format("weight = {}\n", change.now->weight));
    if (change.enabled()) out.push_back(fmt::format("enabled = {}\n", change.now->enabled));
  }
  if (!out.empty()) {
    out.insert(out.begin(), {"\n", "[[pool]]\n", fmt::format("name = {}\n", toml_string(after.name))});
  }
  return out;
}

Result<void> edit_pool(Editor& editor, const PoolBlock& block, const PoolConfig& before, const PoolConfig& after,
                       const std::string& name) {
  for (const BackendChange& change : backend_changes(before, after)) {
    if (change.old == nullptr) {
      editor.insert(block.end, write_backend(*change.now, after.probe));
      continue;
    }
    const auto at = std::ranges::find(block.backends, change.old->name, &Block::name);
    if (at == block.backends.end()) {
      return unknown_form(name, "backend " + before.name + "/" + change.old->name, kBackendHeader);
    }
    if (change.now == nullptr) {
      editor.remove(*at);
      continue;
    }
    if (change.weight()) editor.set(*at, "weight", fmt::to_string(change.now->weight));
    if (change.enabled()) editor.set(*at, "enabled", change.now->enabled ? "true" : "false");
  }
  return {};
}

}  // namespace

Result<Edited> edit(const std::vector<Source>& sources, const Config& file, const Config& running) {
  const std::string& name = sources.front().name;
  const std::string& text = sources.front().text;
  Editor editor(split(text));
  const std::vector<PoolBlock> pools = blocks_of(editor.lines());
  Edited out;
  for (const PoolConfig& before : file.pools) {
    const PoolConfig* after = running.find_pool(before.name);
    if (after == nullptr || *after == before) continue;
    const auto block = std::ranges::find(pools, before.name, &Block::name);
    if (block == pools.end()) return unknown_form(name, "pool " + before.name, kPoolHeader);
    if (auto done = edit_pool(editor, *block, before, *after, name); !done) return Error{done.error()};
  }
  out.changes = changes_between(file, running);
  out.text = out.changes.empty() ? text : editor.text();
  std::vector<Source> edited = sources;
  edited.front().text = out.text;
  const auto read = load_sources(std::move(edited));
  if (!read) return Error{name + " could not be edited, it would not be valid: " + read.error()};
  if (read->config.pools != running.pools && sources.size() > 1) {
    return Error{"a drop-in file in " + drop_in_directory(name).string() + " says otherwise than " + name +
                 " would: change it there by hand, and reload"};
  }
  if (read->config.pools != running.pools) {
    return Error{name + " could not be edited so that it says what runs: change it by hand, and reload"};
  }
  return out;
}

std::filesystem::path saved_drop_in(const std::filesystem::path& file) {
  return drop_in_directory(file) / "90-saved.toml";
}

Result<Edited> write_drop_in(const std::vector<Source>& sources, const Config& file, const Config& running) {
  const std::string& name = sources.front().name;
  const std::string own = saved_drop_in(name).string();
  std::vector<Source> others = sources;
  std::erase_if(others, [&own](const Source& source) { return source.name == own; });
  const auto without = load_sources(others);
  if (!without) return Error{"without " + own + " the configuration is not valid: " + without.error()};
  Edited out{"# Written by `warmswapctl save --drop-in`, which writes it anew each time.\n", {}};
  for (const PoolConfig& before : without->config.pools) {
    const PoolConfig* after = running.find_pool(before.name);
    if (after == nullptr) continue;
    for (const std::string& line : drop_in_lines(before, *after)) out.text += line;
  }
  out.changes = changes_between(file, running);
  const auto later =
      std::find_if(others.begin() + 1, others.end(), [&own](const Source& source) { return source.name > own; });
  others.insert(later, Source{own, out.text});
  const auto read = load_sources(std::move(others));
  if (!read) return Error{own + " could not be written, it would not be valid: " + read.error()};
  if (read->config.pools != running.pools) {
    return Error{own + " cannot say what runs: a drop-in file that is read after it says otherwise"};
  }
  return out;
}

}  // namespace warmswap::config
