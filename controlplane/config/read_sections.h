// One function per part of the file, from Section to value. Used by load.cc only.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "controlplane/config/config.h"
#include "controlplane/config/section.h"

namespace warmswap::config {

/// Where the configuration came from, as far as its keys are concerned.
struct Origin {
  std::filesystem::path directory;            // a relative path of a key file starts here
  std::set<std::string> open_to_others = {};  // the files that every user may read
};

void read_instance(Section section, const Origin& origin, InstanceConfig& out);
void read_dataplane(Section section, DataplaneConfig& out);
void read_controlplane(Section section, const Origin& origin, ControlplaneConfig& out);
/// Pools and their backends sorted by name.
void read_pools(Section& root, std::vector<PoolConfig>& out);
/// Sorted by name.
void read_vips(Section& root, std::vector<VipConfig>& out);

}  // namespace warmswap::config
