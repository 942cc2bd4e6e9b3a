#include "controlplane/config/load.h"

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

Result<Loaded> load(std::string_view text, const std::string& name, const Origin& origin, Part part) {
  const auto document = Document::parse(text, name);
  if (!document) return Error{document.error()};
  Report report(name);
  Section root(report, document->root());
  Loaded out;
  out.config = read(root, origin, part);
  for (Finding& finding : check(out.config, part)) report.add(std::move(finding));
  if (report.has_errors()) return Error{join(report.errors(), "\n")};
  out.warnings = report.warnings();
  return out;
}

Result<Loaded> load_path(const std::filesystem::path& path, Part part) {
  const auto file = read_text_file(path);
  if (!file) return Error{file.error()};
  return load(file->text, path.string(), {path.parent_path(), file->open_to_others}, part);
}

}  // namespace

Result<Loaded> load_file(const std::filesystem::path& path) {
  return load_path(path, Part::all);
}
Result<Loaded> load_dataplane_part(const std::filesystem::path& path) {
  return load_path(path, Part::dataplane);
}

Result<Loaded> load_text(std::string_view text, const std::string& name) {
  return load(text, name, {std::filesystem::path(name).parent_path()}, Part::all);
}

std::vector<std::string> known_keys() {
  Report report("");
  Section root = Section::for_keys(report);
  read(root, {}, Part::all);
  return {report.known().begin(), report.known().end()};
}

}  // namespace warmswap::config
