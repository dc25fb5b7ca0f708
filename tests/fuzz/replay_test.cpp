// Replays the corpus of one target, and mutations of it that are the same in every run.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_target.h"

namespace synod {
namespace {

using Input = std::vector<std::uint8_t>;

std::vector<Input> Corpus() {
  std::vector<std::filesystem::path> paths;
  const std::string folder = std::string(SYNOD_SOURCE_DIR) + "/tests/fuzz/corpus/" + SYNOD_FUZZ_NAME;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Input> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

void MutateOnce(Input& input, const std::vector<Input>& corpus, std::mt19937& random) {
  const auto below = [&](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  const std::size_t at = below(input.size());
  const auto begin = input.begin() + static_cast<std::ptrdiff_t>(at);
  const std::size_t count = std::min<std::size_t>(1 + below(16), input.size() - at);
  const auto end = begin + static_cast<std::ptrdiff_t>(count);
  switch (random() % 7) {
    case 0:
      if (!input.empty()) *begin = static_cast<std::uint8_t>(*begin ^ (1u << (random() % 8)));
      break;
    case 1:
      std::fill(begin, end, static_cast<std::uint8_t>(random() % 2 == 0 ? 0x00 : 0xff));
      break;
    case 2:
      std::generate(begin, end, [&] { return static_cast<std::uint8_t>(random()); });
      break;
    case 3:
      input.erase(begin, end);
      break;
    case 4: {
      const Input piece(begin, end);
      input.insert(begin, piece.begin(), piece.end());
      break;
    }
    case 5:
      input.resize(at);
      break;
    default: {
      const Input& other = corpus[below(corpus.size())];
      input.resize(at);
      const std::size_t from = below(other.size());
      input.insert(input.end(), other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
    }
  }
}

TEST(SYNOD_FUZZ_SUITE, ReplaysItsCorpus) {
  const std::vector<Input> corpus = Corpus();
  ASSERT_FALSE(corpus.empty());
  for (const Input& input : corpus) EXPECT_EQ(LLVMFuzzerTestOneInput(input.data(), input.size()), 0);
  EXPECT_EQ(LLVMFuzzerTestOneInput(nullptr, 0), 0);
}

TEST(SYNOD_FUZZ_SUITE, BearsMutationsOfItsCorpus) {
  const std::vector<Input> corpus = Corpus();
  ASSERT_FALSE(corpus.empty());
  std::mt19937 random(20260101);
  for (int i = 0; i < SYNOD_FUZZ_MUTATIONS; ++i) {
    Input input = corpus[random() % corpus.size()];
    for (unsigned times = 1 + random() % 4; times > 0; --times) MutateOnce(input, corpus, random);
    ASSERT_EQ(LLVMFuzzerTestOneInput(input.data(), input.size()), 0);
  }
}

}  // namespace
}  // namespace synod
