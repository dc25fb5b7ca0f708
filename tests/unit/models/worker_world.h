// A small run for the tests of workers: three sites, independent_columns, a table of made-up wards in a CSV file.
#pragma once

#include <string>
#include <vector>

#include "models/worker/worker_messages.h"

namespace synod::testing {

// A value that stands in the table of WriteWardFile in a cell that breaks a rule: it must never be seen again.
inline constexpr char kSecretCell[] = "73519.25";

std::string WardSpecification(const std::string& model = "family = \"independent_columns\"\n", double epsilon = 2.0,
                              const std::string& aggregation = "none");
std::string WardSchema();
// site-a, site-b and site-c, with fingerprints.
std::vector<RosterSite> WardRoster();
ResolveRequest WardResolve(const std::string& specification = WardSpecification());

// `rows` rows that follow from `seed`, and three bad ones. The path of the file, in a folder of its own.
std::string WriteWardFile(std::size_t rows, std::uint64_t seed);

}  // namespace synod::testing
