// What connections over TLS share. One context for all with the same certificates: reading the system's takes
// milliseconds. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "controlplane/config/config.h"

namespace boost::asio::ssl {
class context;
}

namespace warmswap::health {

class TlsContexts {
 public:
  /// Null for a probe without TLS, and where its certificates cannot be read, which the next call tries again.
  std::shared_ptr<boost::asio::ssl::context> context_for(const config::ProbeConfig& probe);

 private:
  std::map<std::pair<bool, std::string>, std::shared_ptr<boost::asio::ssl::context>> contexts_;
};

}  // namespace warmswap::health
