// What Linux tells of a running process in /proc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace synod::testing {

std::vector<std::int64_t> ChildrenOf(std::int64_t process);
// Everything that it has mapped, one line a mapping.
std::string MapsOf(std::int64_t process);
// What its open descriptors lead to: paths, "socket:[N]", "pipe:[N]".
std::vector<std::string> OpenFilesOf(std::int64_t process);
// Its sockets of the internet families, TCP and UDP, in any state.
std::size_t InternetSocketsOf(std::int64_t process);
double ResidentMegabytes(std::int64_t process);

}  // namespace synod::testing
