using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace LocalPlus.Tests.Unit.Hosting;

public sealed class FingerprintTests
{
    private const string First = "1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    private const string Second = "2:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    [Fact]
    public void Fault_15_The_order_of_members_never_counts_in_metadata_as_little_as_anywhere()
    {
        var keys = Keys(First);
        var one = new Body(
            "x",
            new Dictionary<string, string>
            {
                ["a"] = "1",
                ["b"] = "2",
                ["é"] = "3",
            }
        );
        var other = new Body(
            "x",
            new Dictionary<string, string>
            {
                ["é"] = "3",
                ["b"] = "2",
                ["a"] = "1",
            }
        );

        Assert.Equal(keys.Of(Http(), one).Bytes, keys.Of(Http(), other).Bytes);
        Assert.NotEqual(keys.Of(Http(), one).Bytes, keys.Of(Http(), one with { Name = "y" }).Bytes);
        Assert.NotEqual(keys.Of(Http(), one).Bytes, keys.Of(Http("/v1/others"), one).Bytes);
    }

    [Fact]
    public void Fault_15_What_is_stored_helps_nobody_to_guess_who_has_not_got_the_key()
    {
        var request = new { pin = "0815" };
        var stored = Keys(First).Of(Http(), request).Bytes;

        Assert.Equal(32, stored.Length);
        Assert.False(Keys("1:cccccccccccccccccccccccccccccccccccccccc").Of(Http(), request).Matches(stored));
        foreach (
            var guess in new[]
            {
                "POST\n/v1/things\n{\"pin\":\"0815\"}",
                "{\"pin\":\"0815\"}",
                "POST /v1/things{\"pin\":\"0815\"}",
            }
        )
        {
            Assert.NotEqual(SHA256.HashData(Encoding.UTF8.GetBytes(guess))[..31], stored[1..]);
        }
    }

    [Fact]
    public void Fault_15_A_key_that_was_replaced_still_knows_its_fingerprints_again()
    {
        var stored = Keys(First).Of(Http(), new Body("x", null)).Bytes;
        var rotated = Keys($"{Second}, {First}").Of(Http(), new Body("x", null));

        Assert.True(rotated.Matches(stored));
        Assert.Equal(2, rotated.Bytes[0]);
        Assert.False(Keys(Second).Of(Http(), new Body("x", null)).Matches(stored));
        Assert.Equal(
            CommonFaults.IdempotencyKeyReused,
            Assert.Throws<FaultException>(() => Keys(First).Of(Http(), new Body("y", null)).RequireSame(stored)).Fault
        );
    }

    [Theory]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("0:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("1:short")]
    [InlineData("1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,1:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")]
    public void A_service_does_not_start_with_keys_that_it_can_not_tell_apart_or_that_are_weak(string secret) =>
        Assert.Contains(
            "fingerprint_keys",
            Assert.Throws<InvalidOperationException>(() => Keys(secret)).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(
        """{ "b" : [1, {"z":null,"a":true}], "a": "\u20ac\u000f\n\"" }""",
        """{"a":"€\u000f\n\"","b":[1,{"a":true,"z":null}]}"""
    )]
    [InlineData(
        """{"\ufb33":1,"\ud83d\ude00":2,"1":3,"\r":4}""",
        "{\"\\r\":4,\"1\":3,\"\ud83d\ude00\":2,\"\ufb33\":1}"
    )]
    public void Canonical_JSON_is_that_of_RFC_8785(string written, string canonical)
    {
        var buffer = new ArrayBufferWriter<byte>();
        new CanonicalJson(buffer).Value(JsonElement.Parse(written));

        Assert.Equal(canonical, Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    [Theory]
    [InlineData(400, false, false)]
    [InlineData(401, false, false)]
    [InlineData(403, false, false)]
    [InlineData(404, false, true)]
    [InlineData(409, false, true)]
    [InlineData(409, true, false)]
    [InlineData(422, false, true)]
    [InlineData(429, false, false)]
    [InlineData(500, false, false)]
    [InlineData(503, true, false)]
    public void Only_a_refusal_that_stays_what_it_is_is_final(int status, bool retryable, bool final) =>
        Assert.Equal(final, new Fault("x", status, "X", retryable).IsFinal);

    private static FingerprintKeys Keys(string secret) =>
        new(
            new ConfigurationBuilder()
                .AddInMemoryCollection(new Dictionary<string, string?> { ["Secrets:fingerprint_keys"] = secret })
                .Build()
        );

    private static DefaultHttpContext Http(string path = "/v1/things") =>
        new() { Request = { Method = "POST", Path = path } };

    private sealed record Body(string Name, IReadOnlyDictionary<string, string>? Metadata);
}
