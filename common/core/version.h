// The version of this software, as certificates state it. CMakeLists.txt checks that it equals the project's.
#pragma once

namespace synod {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace synod
