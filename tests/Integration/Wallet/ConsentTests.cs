using System.Text.Json;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Wallet;

public sealed class ConsentTests(WalletApi api) : IClassFixture<WalletApi>
{
    private const string Proof = "Form 12 of the Lyon shop, signed by Zacharias";

    [Fact]
    public async Task What_a_person_agreed_to_is_listed_with_its_proof_and_when_it_was_withdrawn()
    {
        var (_, key) = api.NewMerchant();
        var path = await NewCustomerAsync(key);
        var given = await GiveAsync(
            key,
            path,
            new
            {
                purpose = "newsletter",
                text_version = "2026-01",
                given_at = "2026-02-03T10:00:00.000Z",
                proof = Proof,
            }
        );
        await GiveAsync(key, path, new { purpose = "profiling", text_version = "2026-01" });

        var withdrawn = await api.Service.CallAsync(
            HttpMethod.Post,
            $"{path}/{given.GetProperty("id").GetString()}/withdraw",
            key,
            new { withdrawn_at = "2026-03-04T10:00:00.000Z" }
        );

        // Answers to changes are kept for repeats, so they say nothing that may name a person.
        Assert.False(given.TryGetProperty("proof", out _));
        Assert.False(withdrawn.TryGetProperty("proof", out _));
        var consents = await ListAsync(key, path);
        Assert.Equal(["profiling", "newsletter"], consents.Select(c => c.GetProperty("purpose").GetString()));
        Assert.False(consents[0].TryGetProperty("withdrawn_at", out _));
        Assert.Equal(Proof, consents[1].GetProperty("proof").GetString());
        Assert.Equal("2026-02-03T10:00:00.000Z", consents[1].GetProperty("given_at").GetString());
        Assert.Equal("2026-03-04T10:00:00.000Z", consents[1].GetProperty("withdrawn_at").GetString());
    }

    [Fact]
    public async Task A_consent_that_was_withdrawn_stays_withdrawn_at_that_time()
    {
        var (_, key) = api.NewMerchant();
        var path = await NewCustomerAsync(key);
        var consent = await GiveAsync(key, path, new { purpose = "newsletter", text_version = "1" });
        var withdraw = $"{path}/{consent.GetProperty("id").GetString()}/withdraw";
        var first = await api.Service.CallAsync(HttpMethod.Post, withdraw, key, new { });

        var again = await api.Service.CallAsync(
            HttpMethod.Post,
            withdraw,
            key,
            new { withdrawn_at = "2026-01-01T00:00:00.000Z" }
        );

        Assert.Equal(first.GetProperty("withdrawn_at").GetString(), again.GetProperty("withdrawn_at").GetString());
    }

    [Fact]
    public async Task Consents_are_their_merchant_s_and_their_customer_s()
    {
        var (_, key) = api.NewMerchant();
        var (_, stranger) = api.NewMerchant();
        var (path, other) = (await NewCustomerAsync(key), await NewCustomerAsync(key));
        var consent = await GiveAsync(key, path, new { purpose = "newsletter", text_version = "1" });
        var id = consent.GetProperty("id").GetString();

        await api.Service.CallAsync(HttpMethod.Get, path, stranger, status: 404);
        await api.Service.CallAsync(HttpMethod.Post, $"{path}/{id}/withdraw", stranger, new { }, 404);
        await api.Service.CallAsync(HttpMethod.Post, $"{other}/{id}/withdraw", key, new { }, 404);
        Assert.False((await ListAsync(key, path)).Single().TryGetProperty("withdrawn_at", out _));
    }

    [Theory]
    [InlineData("""{"purpose":"","text_version":"1"}""", "/purpose", "empty")]
    [InlineData("""{"purpose":"n","text_version":""}""", "/text_version", "empty")]
    [InlineData("""{"purpose":"n","text_version":"1","given_at":"2999-01-01T00:00:00Z"}""", "/given_at", "future")]
    public async Task What_is_wrong_with_a_consent_is_named(string body, string pointer, string code)
    {
        var (_, key) = api.NewMerchant();
        var path = await NewCustomerAsync(key);

        var problem = await api.Service.CallAsync(HttpMethod.Post, path, key, body, 400);

        Assert.Contains(
            problem.GetProperty("errors").EnumerateArray(),
            e => e.GetProperty("pointer").GetString() == pointer && e.GetProperty("code").GetString() == code
        );
    }

    [Fact]
    public async Task A_proof_is_stored_under_the_person_s_key_alone()
    {
        var (_, key) = api.NewMerchant();
        var path = await NewCustomerAsync(key);
        await GiveAsync(
            key,
            path,
            new
            {
                purpose = "newsletter",
                text_version = "1",
                proof = Proof,
            }
        );

        Assert.Equal(
            0L,
            await api.Database.ScalarAsync<long>(
                """
                SELECT count(*)
                  FROM customer_consents
                 WHERE position('Zacharias' IN encode(proof, 'escape') || purpose) > 0
                """
            )
        );
        Assert.DoesNotContain("Zacharias", api.Service.Output, StringComparison.Ordinal);
    }

    private async Task<string> NewCustomerAsync(string key)
    {
        var made = await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/customers",
            key,
            new { email = $"{Guid.CreateVersion7():N}@example.test" },
            201
        );
        return $"/v1/customers/{made.GetProperty("id").GetString()}/consents";
    }

    private Task<JsonElement> GiveAsync(string key, string path, object body) =>
        api.Service.CallAsync(HttpMethod.Post, path, key, body, 201);

    private async Task<JsonElement[]> ListAsync(string key, string path) =>
        [.. (await api.Service.CallAsync(HttpMethod.Get, path, key)).GetProperty("data").EnumerateArray()];
}
