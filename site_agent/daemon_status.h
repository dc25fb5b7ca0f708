// How a site's daemon is: the data of `synod-site status`.
#pragma once

#include <string>

#include "common/core/canonical_json.h"
#include "common/net/link_client.h"
#include "site_agent/site_agent.h"

namespace synod {

struct DaemonFacts {
  std::string address;  // of the coordinator
  std::int64_t worker_process_id = 0;
  LinkClient::Statistics traffic;
  std::string reload_problem;
};

std::string DaemonVersion();
Json DaemonStatus(const SiteAgent& agent, const DaemonFacts& facts);

}  // namespace synod
