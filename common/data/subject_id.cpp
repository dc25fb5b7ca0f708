#include "common/data/subject_id.h"

#include <string>

#include "common/crypto/sha256.h"

namespace synod {

std::uint64_t SubjectId(std::string_view text) {
  std::string labelled = "synod.subject/1\n";
  labelled += text;
  const Digest digest = Sha256(labelled);
  std::uint64_t id = 0;
  for (std::size_t i = 8; i-- > 0;) id = id << 8 | digest[i];
  return id;
}

}  // namespace synod
