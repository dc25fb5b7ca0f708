// synod-net-bench: the figures of `synod-bench net`, in a program that builds without LibTorch.
#include <fmt/format.h>

#include <cstdio>

#include "tools/bench/net_benchmark.h"

int main() {
  constexpr int kRepeats = 5;
  const synod::Result<std::vector<synod::Json>> figures = synod::NetFigures(kRepeats);
  if (!figures.ok()) {
    std::fprintf(stderr, "synod-net-bench: %s\n", figures.error().message.c_str());
    return static_cast<int>(figures.error().code);
  }
  for (const synod::Json& figure : *figures) {
    std::printf("%s:\n", figure["name"].get<std::string>().c_str());
    for (const auto& [key, value] : figure.items()) {
      if (key != "name") std::printf("  %-24s %s\n", key.c_str(), fmt::format("{:.4g}", value.get<double>()).c_str());
    }
  }
  return 0;
}
