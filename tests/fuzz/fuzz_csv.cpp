// A table as a data holder might have it. What is wrong with it is named without what stands in it.
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "common/data/load_table.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

constexpr const char* kSchema = R"(name = "fuzzed"
[[column]]
name = "age"
type = "integer"
min = 0
max = 120
[[column]]
name = "dose"
type = "continuous"
min = 0
max = 1000
missing = true
[[column]]
name = "town"
type = "categorical"
values = ["north", "south"]
[[column]]
name = "seen"
type = "datetime"
min = 2020-01-01
max = "2020-12-31T23:59:59Z"
)";

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const synod::Result<synod::Schema> kParsed = synod::Schema::FromToml(kSchema, "fuzzed.toml");
  SYNOD_CHECK(kParsed.ok(), "the schema of this target is right");
  const auto schema = std::make_shared<const synod::Schema>(*kParsed);
  const int file = memfd_create("table", MFD_CLOEXEC);
  SYNOD_CHECK(file >= 0 && (size == 0 || write(file, data, size) == static_cast<ssize_t>(size)), "memory for a file");
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  for (const synod::RowPolicy policy : {synod::RowPolicy::kDrop, synod::RowPolicy::kClamp}) {
    static_cast<void>(synod::LoadTable(path, schema, policy));
  }
  close(file);
  return 0;
}
