// The model as the JSON of the interface. The field names are protocol.h's; numbers are exact; what is absent is null;
// every string is valid UTF-8 whatever the model holds. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/api/model.h"
#include "controlplane/api/service.h"

namespace warmswap::api {

/// The status, with the pools and their seats, so that one answer shows one moment; `warnings` beside the status's own.
std::string render_status(const Status& status, const std::vector<PoolView>& pools,
                          const std::vector<std::string>& warnings);
std::string render_vips(const std::vector<VipView>& vips);
std::string render_pools(const std::vector<PoolView>& pools);
std::string render_backends(const std::vector<BackendView>& backends);
std::string render_events(const EventPage& page);
/// One event alone, as it stands in the list.
std::string render_event(const EventView& event);
std::string render_explanation(const Explanation& explanation);
std::string render_drops(const std::vector<DropView>& drops);
std::string render_version(const VersionView& version);
std::string render_save(const SavePlan& plan);
std::string render_applied(const ApplyResult& result);
std::string render_error(std::string_view sentence, std::span<const std::string_view> endpoints = {});

}  // namespace warmswap::api
