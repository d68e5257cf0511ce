#include "api/identity/jwt.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "api/identity/digest.hpp"
#include "api/identity/jwks_json.hpp"
#include "api/identity/text_codes.hpp"
#include "api/identity/token_cache.hpp"

namespace qylon::api {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;
const std::string kUser = "2b1d2b1e-0000-4000-8000-000000000001";

std::string bytes(std::string_view base64) {
  return parse_base64url(base64).value_or("?");
}

/// The example that RFC 7515 signs in three ways.
const std::string kRfcPayload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ";

TEST(JwtKey, TakesTheEs256SignatureOfRfc7515) {  // Appendix A.3.
  const auto key = JwtKey::es256(bytes("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
                                 bytes("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"));
  ASSERT_TRUE(key);
  const std::string signature = bytes(
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
  EXPECT_TRUE(key->verify("eyJhbGciOiJFUzI1NiJ9." + kRfcPayload, signature));
  EXPECT_FALSE(key->verify("eyJhbGciOiJFUzI1NiJ9." + kRfcPayload + "A", signature));
}

TEST(JwtKey, TakesTheRs256SignatureOfRfc7515) {  // Appendix A.2.
  const auto key = JwtKey::rs256(
      bytes(
          "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1"
          "Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaS"
          "HSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT"
          "6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"),
      bytes("AQAB"));
  ASSERT_TRUE(key);
  const std::string signature = bytes(
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O"
      "8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNP"
      "vkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1p"
      "hCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
  EXPECT_TRUE(key->verify("eyJhbGciOiJSUzI1NiJ9." + kRfcPayload, signature));
  EXPECT_FALSE(key->verify("eyJhbGciOiJSUzI1NiJ8." + kRfcPayload, signature));
}

TEST(JwtKey, TakesTheHs256SignatureOfRfc7515) {  // Appendix A.1.
  const auto key = JwtKey::hs256(bytes(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"));
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->verify("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + kRfcPayload,
                          bytes("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
}

TEST(JwtKey, RefusesWeakAndFalseKeys) {
  EXPECT_FALSE(JwtKey::hs256(std::string(31, 'k')));
  EXPECT_FALSE(JwtKey::rs256(std::string(128, '\xff'), bytes("AQAB")));  // 1,024 bits.
  EXPECT_FALSE(JwtKey::es256(std::string(32, '\x01'), std::string(32, '\x01')));
  EXPECT_FALSE(JwtKey::es256("", ""));
}

TEST(SigningKey, SurvivesItsStorage) {
  const SigningKey key = SigningKey::generate();
  const auto copy = SigningKey::from_der(key.private_der());
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->thumbprint(), key.thumbprint());
  const auto point = key.point();
  EXPECT_TRUE(JwtKey::es256(point.x, point.y)->verify("text", copy->sign("text")));
  auto der = key.private_der();
  der.resize(der.size() / 2);
  EXPECT_FALSE(SigningKey::from_der(der));
}

TEST(Jwks, AreReadAsTheyArePrinted) {
  const SigningKey key = SigningKey::generate();
  const auto keys = parse_jwks("{\"keys\":[" + to_jwk(key.point(), "k1") + "]}");
  ASSERT_TRUE(keys) << keys.error().message;
  ASSERT_EQ(keys->size(), 1U);
  EXPECT_TRUE(keys->at("k1").verify("text", key.sign("text")));
}

TEST(Jwks, WithoutAKeyForUsAreRefused) {
  const std::string key = to_jwk(SigningKey::generate().point(), "k1");
  for (const std::string& text :
       {std::string("[]"),
        std::string("{}"),
        std::string(R"({"keys":{}})"),
        std::string(R"({"keys":[7]})"),
        std::string(
            R"({"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ","kid":"s"}]})"),
        std::string(R"({"keys":[{"kty":"EC","crv":"P-256","x":"AQAB","y":"AQAB","kid":"s"}]})"),
        "{\"keys\":[" + key + "," + key + "]}"}) {
    EXPECT_FALSE(parse_jwks(text)) << text;
  }
}

/// Makes tokens that differ from a good one in exactly one thing.
class Jwt : public testing::Test {
 protected:
  Jwt() {
    const auto point = key_.point();
    issuers_["https://us"].keys.emplace("k1", *JwtKey::es256(point.x, point.y));
    issuers_["https://us"].keys.emplace("k2", *JwtKey::hs256(kShared));
    issuers_["https://project"].keys.emplace("p", *JwtKey::hs256(kShared));
    issuers_["https://single"].keys.emplace("s", *JwtKey::hs256(kShared));
    issuers_["https://single"].may_serve = true;
  }

  static std::string claims(const std::string& more = "",
                            const std::string& issuer = "https://us") {
    return R"({"iss":")" + issuer + R"(","aud":"authenticated","role":"authenticated","sub":")" +
           kUser + R"(","exp":)" + std::to_string(kNow + 60) + more + "}";
  }
  std::string signed_by_us(const std::string& header, const std::string& payload) const {
    const std::string text = base64url(header) + "." + base64url(payload);
    return text + "." + base64url(key_.sign(text));
  }
  static std::string shared(const std::string& header, const std::string& payload) {
    const std::string text = base64url(header) + "." + base64url(payload);
    return text + "." + base64url(hmac_sha256(kShared, text));
  }
  Result<JwtClaims> verify(std::string_view token) const {
    return verify_jwt(token, issuers_, kNow);
  }

  inline static const std::string kShared = "a secret of thirty-two bytes and more";
  inline static const std::string kHeader = R"({"alg":"ES256","kid":"k1","typ":"JWT"})";
  SigningKey key_ = SigningKey::generate();
  JwtIssuers issuers_;
};

TEST_F(Jwt, OfOursIsTakenAndSaysWhoItIs) {
  const auto found = verify(sign_jwt(claims(R"(,"session_id":"s1","iat":1799999990)"), key_, "k1"));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->user, kUser);
  EXPECT_EQ(found->role, "authenticated");
  EXPECT_EQ(found->session, "s1");
  EXPECT_EQ(found->issued_s, 1'799'999'990);
  EXPECT_EQ(found->expires_s, kNow + 60);
}

TEST_F(Jwt, NamesItsOrganisationAndWhatItMayBeUsedFor) {
  const auto found = verify(
      sign_jwt(claims(R"(,"app_metadata":{"org_id":"o1"},"scopes":["read",7])"), key_, "k1"));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->org, "o1");
  EXPECT_EQ(found->scopes, std::vector<std::string>{"read"});
  const auto plain = verify(sign_jwt(claims(R"(,"app_metadata":"o1")"), key_, "k1"));
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->org, "");
  EXPECT_EQ(plain->scopes, std::nullopt);
}

TEST_F(Jwt, OfAProjectIsTakenWithItsSharedSecret) {
  EXPECT_TRUE(verify(shared(R"({"alg":"HS256","kid":"p"})", claims("", "https://project"))));
  EXPECT_TRUE(verify(shared(R"({"alg":"HS256"})", claims("", "https://single"))));
  const auto anon = verify(
      shared(R"({"alg":"HS256"})", R"({"iss":"https://single","role":"anon","exp":1800000001})"));
  ASSERT_TRUE(anon) << anon.error().message;
  EXPECT_EQ(anon->role, "anon");
  EXPECT_TRUE(verify(shared(R"({"alg":"HS256"})",
                            R"({"iss":"https://single","role":"service_role","exp":1800000001})")));
}

TEST_F(Jwt, MayNameSeveralAudiencesAndBeALittleEarly) {
  const std::string head = R"({"iss":"https://us","role":"authenticated","sub":")" + kUser;
  EXPECT_TRUE(verify(signed_by_us(
      kHeader, head + R"(","exp":1800000060,"aud":["other","authenticated"],"nbf":1800000029})")));
}

TEST_F(Jwt, IsNeverTakenWhenItIsForged) {
  const std::string good = signed_by_us(kHeader, claims());
  ASSERT_TRUE(verify(good));
  const std::size_t first = good.find('.');
  const std::size_t second = good.rfind('.');
  const std::string header = good.substr(0, first);
  const std::string payload = good.substr(first + 1, second - first - 1);
  const std::string signature = good.substr(second + 1);
  const std::string x = key_.point().x;
  const SigningKey stranger = SigningKey::generate();
  const auto hs_with = [&](const std::string& secret, const std::string& head) {
    const std::string text = base64url(head) + "." + payload;
    return text + "." + base64url(hmac_sha256(secret, text));
  };
  const auto with_header = [&](const std::string& head) { return signed_by_us(head, claims()); };
  const auto with_claims = [&](const std::string& body) { return signed_by_us(kHeader, body); };
  const auto replaced = [](std::string text, const std::string& what, const std::string& by) {
    return text.replace(text.find(what), what.size(), by);
  };
  std::string flipped = bytes(signature);
  flipped[40] = static_cast<char>(flipped[40] ^ 1);
  const std::string unsigned_text = [&](const char* alg) {
    return base64url(std::string(R"({"alg":")") + alg + R"(","kid":"k1"})") + "." + payload;
  }("none");

  const std::vector<std::pair<const char*, std::string>> forged{
      // Form.
      {"empty", ""},
      {"dots alone", ".."},
      {"one part", header},
      {"two parts", header + "." + payload},
      {"four parts", good + "." + signature},
      {"five parts, as encrypted ones", good + ".AA.AA"},
      {"a leading space", " " + good},
      {"a trailing newline", good + "\n"},
      {"padding", good + "="},
      {"another alphabet", header + "." + payload + "." + "+/" + signature.substr(2)},
      {"too long", with_claims(claims(R"(,"x":")" + std::string(9000, 'x') + "\""))},
      {"a header that is no JSON", base64url("alg") + "." + payload + "." + signature},
      {"a header that is an array", with_header(R"(["ES256"])")},
      {"a payload that is no JSON", with_claims("{")},
      {"a payload that is a string", with_claims("\"sub\"")},
      {"a payload that is no UTF-8", with_claims("{\"a\":\"\xff\"}")},
      {"a payload with U+0000", with_claims(claims(R"(,"email":"a\u0000b")"))},
      {"deep nesting",
       with_claims(claims(",\"a\":" + std::string(20, '[') + std::string(20, ']')))},
      // Signature.
      {"no signature", header + "." + payload + "."},
      {"a flipped bit", header + "." + payload + "." + base64url(flipped)},
      {"a shortened signature", header + "." + payload + "." + signature.substr(0, 40)},
      {"a longer signature", header + "." + payload + "." + base64url(bytes(signature) + "x")},
      {"zeros, CVE-2022-21449", header + "." + payload + "." + base64url(std::string(64, '\0'))},
      {"bits behind the signature's end",
       header + "." + payload + "." + signature.substr(0, signature.size() - 1) +
           static_cast<char>(signature.back() + 1)},
      {"another's key under our id",
       [&] {
         const std::string text = header + "." + payload;
         return text + "." + base64url(stranger.sign(text));
       }()},
      {"another token's signature",
       header + "." + base64url(claims(R"(,"aal":"aal2")")) + "." + signature},
      {"another token's header",
       base64url(R"({"alg":"ES256","kid":"k1"})") + "." + payload + "." + signature},
      // Algorithm.
      {"none", unsigned_text + "."},
      {"none with a signature", unsigned_text + "." + signature},
      {"None", with_header(R"({"alg":"None","kid":"k1"})")},
      {"NONE", with_header(R"({"alg":"NONE","kid":"k1"})")},
      {"no algorithm", with_header(R"({"kid":"k1"})")},
      {"an empty algorithm", with_header(R"({"alg":"","kid":"k1"})")},
      {"an algorithm that is no text", with_header(R"({"alg":["ES256"],"kid":"k1"})")},
      {"es256 in lower case", with_header(R"({"alg":"es256","kid":"k1"})")},
      {"ES384 with our key", with_header(R"({"alg":"ES384","kid":"k1"})")},
      {"RS256 with our key", with_header(R"({"alg":"RS256","kid":"k1"})")},
      {"HS256 with the public key's x", hs_with(x, R"({"alg":"HS256","kid":"k1"})")},
      {"HS256 with the published key",
       hs_with(to_jwk(key_.point(), "k1"), R"({"alg":"HS256","kid":"k1"})")},
      {"HS256 with an empty secret", hs_with("", R"({"alg":"HS256","kid":"k1"})")},
      {"HS256 with a guessed secret", hs_with("secret", R"({"alg":"HS256","kid":"k2"})")},
      {"ES256 under a secret's id", with_header(R"({"alg":"ES256","kid":"k2"})")},
      {"HS512 under a secret's id", hs_with(kShared, R"({"alg":"HS512","kid":"k2"})")},
      {"the algorithm twice", with_header(R"({"alg":"none","alg":"ES256","kid":"k1"})")},
      // Key.
      {"no key id where there are several", with_header(R"({"alg":"ES256"})")},
      {"an unknown key id", with_header(R"({"alg":"ES256","kid":"k3"})")},
      {"a path as key id", with_header(R"({"alg":"ES256","kid":"../../dev/null"})")},
      {"a statement as key id", with_header(R"({"alg":"ES256","kid":"k1' or '1'='1"})")},
      {"a number as key id", with_header(R"({"alg":"ES256","kid":1})")},
      {"its own key",
       [&] {
         const std::string head =
             R"({"alg":"ES256","kid":"k1","jwk":)" + to_jwk(stranger.point(), "k1") + "}";
         const std::string text = base64url(head) + "." + payload;
         return text + "." + base64url(stranger.sign(text));
       }()},
      {"jku", with_header(R"({"alg":"ES256","kid":"k1","jku":"https://evil/jwks.json"})")},
      {"x5u", with_header(R"({"alg":"ES256","kid":"k1","x5u":"https://evil/cert"})")},
      {"x5c", with_header(R"({"alg":"ES256","kid":"k1","x5c":["MIIB"]})")},
      {"crit", with_header(R"({"alg":"ES256","kid":"k1","crit":["exp"]})")},
      {"b64", with_header(R"({"alg":"ES256","kid":"k1","b64":false})")},
      {"another type", with_header(R"({"alg":"ES256","kid":"k1","typ":"at+jwt"})")},
      // Claims.
      {"no issuer", with_claims(replaced(claims(), R"("iss":"https://us",)", ""))},
      {"an unknown issuer", with_claims(claims("", "https://evil"))},
      {"another issuer's name over our key", with_claims(claims("", "https://project"))},
      {"an issuer with a slash more", with_claims(claims("", "https://us/"))},
      {"a project's secret in our name",
       shared(R"({"alg":"HS256","kid":"p"})", claims("", "https://us"))},
      {"the server itself, by a project",
       shared(R"({"alg":"HS256"})",
              R"({"iss":"https://project","role":"service_role","exp":1800000060})")},
      {"expired", with_claims(replaced(claims(), "1800000060", "1799999999"))},
      {"expiring now", with_claims(replaced(claims(), "1800000060", "1800000000"))},
      {"no expiry", with_claims(replaced(claims(), R"(,"exp":1800000060)", ""))},
      {"expiry as text", with_claims(replaced(claims(), "1800000060", "\"1800000060\""))},
      {"expiry beyond time", with_claims(replaced(claims(), "1800000060", "1e300"))},
      {"expiry null", with_claims(replaced(claims(), "1800000060", "null"))},
      {"expiry twice", with_claims(claims(R"(,"exp":1800009999)"))},
      {"not valid yet", with_claims(claims(R"(,"nbf":1800000600)"))},
      {"nbf as text", with_claims(claims(R"(,"nbf":"0")"))},
      {"issued in the future", with_claims(claims(R"(,"iat":1800000600)"))},
      {"another audience",
       with_claims(replaced(claims(), R"("aud":"authenticated")", R"("aud":"other")"))},
      {"no audience", with_claims(replaced(claims(), R"("aud":"authenticated",)", ""))},
      {"an empty list of audiences",
       with_claims(replaced(claims(), R"("aud":"authenticated")", R"("aud":[])"))},
      {"no role", with_claims(replaced(claims(), R"("role":"authenticated",)", ""))},
      {"a superuser",
       with_claims(replaced(claims(), R"("role":"authenticated")", R"("role":"postgres")"))},
      {"the server's role with a subject",
       with_claims(replaced(claims(), R"("role":"authenticated")", R"("role":"service_role")"))},
      {"no subject", with_claims(replaced(claims(), R"("sub":")" + kUser + "\",", ""))},
      {"a subject that is no UUID", with_claims(replaced(claims(), kUser, "admin"))},
      {"a statement as subject", with_claims(replaced(claims(), kUser, "'; drop table users; --"))},
  };
  EXPECT_GE(forged.size(), 60U);
  std::size_t accepted = 0;
  for (const auto& [what, token] : forged) {
    const auto found = verify(token);
    if (!found) {
      EXPECT_EQ(found.error().code, ErrorCode::kUnauthenticated) << what;
      continue;
    }
    ++accepted;
    ADD_FAILURE() << what << " was taken";
  }
  EXPECT_EQ(accepted, 0U);
}

TEST(TokenCache, ForgetsWhatHasExpiredAndTheOldestOfTooMany) {
  TokenCache cache(2);
  const auto until = [](std::int64_t expires_s) {
    auto claims = std::make_shared<JwtClaims>();
    claims->expires_s = expires_s;
    return claims;
  };
  cache.add("a", until(100));
  cache.add("b", until(200));
  EXPECT_NE(cache.find("a", 99), nullptr);
  EXPECT_EQ(cache.find("a", 100), nullptr);
  EXPECT_NE(cache.find("b", 100), nullptr);
  cache.add("c", until(200));
  EXPECT_EQ(cache.find("a", 0), nullptr);
  EXPECT_NE(cache.find("c", 0), nullptr);
  cache.clear();
  EXPECT_EQ(cache.find("c", 0), nullptr);
}

}  // namespace
}  // namespace qylon::api
