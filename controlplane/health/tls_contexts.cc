#include "controlplane/health/tls_contexts.h"

#include <boost/asio/ssl/context.hpp>

namespace warmswap::health {

namespace ssl = boost::asio::ssl;

std::shared_ptr<ssl::context> TlsContexts::context_for(const config::ProbeConfig& probe) {
  if (!config::over_tls(probe)) return nullptr;
  auto& known = contexts_[std::pair(probe.verify, probe.ca_file)];
  if (known) return known;
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  boost::system::error_code error;
  context->set_verify_mode(probe.verify ? ssl::verify_peer : ssl::verify_none, error);
  if (probe.verify && probe.ca_file.empty()) context->set_default_verify_paths(error);
  if (probe.verify && !probe.ca_file.empty()) context->load_verify_file(probe.ca_file, error);
  if (!error) known = std::move(context);
  return known;
}

}  // namespace warmswap::health
