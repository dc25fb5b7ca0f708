#include "common/consortium/default_files.h"

#include <fmt/format.h>

namespace synod {

std::string DefaultSiteToml(const Identity& site) {
  return fmt::format(R"(# {}
# Settings of this site. What the site takes part in is in policy.toml.

[site]
# HOST:PORT of the coordinator; by default the one in the consortium's manifest.
# coordinator = "coordinator.example:7711"

# One block for each data set. `name` is for this site; `schema` is the name of the schema (in its file) that runs on
# this data set have. A relative `file` is relative to this kit. Only synod-worker opens it.
# [[dataset]]
# name = "records"
# schema = "records"
# file = "/srv/data/records.csv"
# bad_rows = "drop"           # rows with numbers out of the schema's bounds: "drop" or "clamp"

[compute]
threads = 0                   # 0: all cores
device = "auto"               # "auto", "cpu", or a device such as "cuda:0"
worker = ""                   # program; empty: synod-worker beside synod-site

[log]
file = "log/site.log"         # empty: standard error
level = "info"
)",
                     site.Uri());
}

std::string DefaultPolicyToml(const Identity& site) {
  return fmt::format(R"(# {}
# What this site takes part in. Default deny: this file allows nothing until a block below is filled in.
# `synod-site policy check` says what is wrong with it; `synod-site explain RUN` says how it judges a run.

# The budget of a data set over its whole life: no sequence of runs may cost more. Fixed when the data set is
# registered for the first time.
# [[lifetime]]
# dataset = "records"
# epsilon = 8.0
# delta = 1e-5

# One block for each kind of run that is allowed. A run must meet every line of one block.
# [[allow]]
# dataset = "records"
# families = ["table_diffusion"]
# columns = ["age", "sex"]        # exactly these, in any order
# operators = ["operator"]        # left out: those of the consortium
# coordinators = ["coordinator"]  # left out: those of the consortium
# aggregation = ["secure"]        # left out: "secure" and "none"
# max_epsilon = 3.0               # in the coordinator's reading
# max_own_share_epsilon = 6.0     # from this site's own noise alone: above max_epsilon with secure aggregation, which
#                                 # counts the noise of several sites; left out: max_epsilon
# max_delta = 1e-5
# max_parameters = 1000000        # left out: any number
# min_known_peers = 2             # other sites in the roster whose keys the manifest has
# unit = "record"                 # or "subject"
# min_units = 1000                # advice: compared with the plan's public number of units
# hours = "20:00-06:00"           # local time; left out: always
# approval = "person"             # "person": wait for `synod-site approve RUN`; or "automatic"
)",
                     site.Uri());
}

std::string DefaultCoordinatorToml(const std::string& coordinator_address) {
  const std::string port = coordinator_address.substr(coordinator_address.rfind(':') + 1);
  return fmt::format(R"(# Settings of the coordinator.

[listen]
address = "0.0.0.0:{}"        # sites and operators connect here; they know it as {}

[compute]
threads = 0                   # 0: all cores
device = "auto"               # "auto", "cpu", or a device such as "cuda:0"
worker = ""                   # program; empty: synod-worker beside synod-coordinator

[log]
file = "log/coordinator.log"  # empty: standard error
level = "info"
)",
                     port, coordinator_address);
}

}  // namespace synod
