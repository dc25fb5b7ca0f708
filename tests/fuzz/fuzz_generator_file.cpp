// A published generator file, or a draft: what can be parsed holds its own bytes.
#include <algorithm>

#include "common/artefact/generator_file.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const synod::ByteView bytes(data, size);
  const synod::Result<synod::GeneratorFile> file = synod::GeneratorFile::Parse(bytes);
  SYNOD_CHECK(!file.ok() || std::equal(file->bytes().begin(), file->bytes().end(), bytes.begin(), bytes.end()),
              "a parsed file holds its own bytes");
  static_cast<void>(synod::GeneratorDraft::FromBytes(bytes));
  return 0;
}
