#include "controlplane/config/load.h"

#include <algorithm>
#include <system_error>

#include "controlplane/config/document.h"
#include "controlplane/config/files.h"
#include "controlplane/config/read_sections.h"
#include "controlplane/config/report.h"
#include "controlplane/config/rules.h"
#include "controlplane/config/text.h"

namespace warmswap::config {
namespace {

using contract::Error;
using contract::Result;

enum class Part : uint8_t { all, dataplane };

Config read(Section& root, const Origin& origin, Part part) {
  Config config;
  read_instance(root.table("instance"), origin, config.instance);
  read_dataplane(root.table("dataplane"), config.dataplane);
  if (part == Part::dataplane) return config;
  read_controlplane(root.table("controlplane"), origin, config.controlplane);
  read_pools(root, config.pools);
  read_vips(root, config.vips);
  root.reject_unknown_keys();
  return config;
}

Findings check(const Config& config, Part part) {
  if (part == Part::all) return check_config(config);
  Findings out = check_instance(config.instance);
  append(out, check_dataplane(config.dataplane));
  return out;
}

Result<Document> parse(const std::vector<Source>& sources) {
  auto document = Document::parse(sources.front().text, sources.front().name);
  for (size_t i = 1; document && i < sources.size(); ++i) {
    const auto later = Document::parse(sources[i].text, sources[i].name);
    if (!later) return Error{later.error()};
    document->lay_over(*later);
  }
  return document;
}

Result<Loaded> load(std::vector<Source> sources, Part part) {
  const auto document = parse(sources);
  if (!document) return Error{document.error()};
  Origin origin{std::filesystem::path(sources.front().name).parent_path()};
  std::vector<std::string> names;
  for (const Source& source : sources) {
    names.push_back(source.name);
    if (source.open_to_others) origin.open_to_others.insert(source.name);
  }
  Report report(names);
  Section root(report, document->root());
  Loaded out;
  out.config = read(root, origin, part);
  for (Finding& finding : check(out.config, part)) report.add(std::move(finding));
  if (report.has_errors()) return Error{join(report.errors(), "\n")};
  out.warnings = report.warnings();
  out.sources = std::move(sources);
  return out;
}

/// Nothing when there is no such directory.
Result<std::vector<std::filesystem::path>> drop_ins(const std::filesystem::path& file) {
  std::vector<std::filesystem::path> out;
  const std::filesystem::path directory = drop_in_directory(file);
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  if (error == std::errc::no_such_file_or_directory) return out;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::filesystem::path& path = entries->path();
    if (path.extension() == ".toml" && !path.filename().string().starts_with('.')) out.push_back(path);
  }
  if (error) return Error{"cannot read the directory " + quote(directory.string()) + ": " + error.message()};
  std::ranges::sort(out);
  return out;
}

Result<Loaded> load_path(const std::filesystem::path& path, Part part) {
  auto paths = drop_ins(path);
  if (!paths) return Error{paths.error()};
  paths->insert(paths->begin(), path);
  std::vector<Source> sources;
  for (const std::filesystem::path& one : *paths) {
    auto file = read_text_file(one);
    if (!file) return Error{file.error()};
    sources.push_back({one.string(), std::move(file->text), file->open_to_others});
  }
  return load(std::move(sources), part);
}

}  // namespace

std::filesystem::path drop_in_directory(const std::filesystem::path& file) {
  return file.string() + ".d";
}

Result<Loaded> load_file(const std::filesystem::path& path) {
  return load_path(path, Part::all);
}
Result<Loaded> load_dataplane_part(const std::filesystem::path& path) {
  return load_path(path, Part::dataplane);
}

Result<Loaded> load_sources(std::vector<Source> sources) {
  return load(std::move(sources), Part::all);
}
Result<Loaded> load_text(std::string_view text, const std::string& name) {
  return load_sources({{name, std::string(text)}});
}

std::vector<std::string> known_keys() {
  Report report({});
  Section root = Section::for_keys(report);
  read(root, {}, Part::all);
  return {report.known().begin(), report.known().end()};
}

}  // namespace warmswap::config
