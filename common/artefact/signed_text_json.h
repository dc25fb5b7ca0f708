// The JSON form of a SignedText: {"text": TEXT, "signature": lower-case hexadecimal}.
#pragma once

#include <string>

#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/crypto/signed_text.h"

namespace synod {

Json SignedTextToJson(const SignedText& signed_text);
// Strict in form; whether the signature holds is for whoever knows the key. `where` names the object in errors.
Result<SignedText> SignedTextFromJson(const Json& json, const std::string& where, std::size_t max_text_bytes);

}  // namespace synod
