using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Giftcard.Faults;

/// <summary>
/// Whether a request came before is decided by what it says and not by how it is written down, and what is kept to
/// decide it tells nobody what the request said.
/// </summary>
public sealed class FingerprintTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private const string Metadata = """{"b":"2","a":"1","é":"3"}""";
    private const string Turned = """{ "é": "3", "a": "1", "b": "2" }""";
    private const string Other = """{"b":"2","a":"1","é":"4"}""";

    private static readonly string OldKey = $"1:{new string('f', 40)}";
    private static readonly string NewKey = $"2:{new string('g', 40)}";

    public static TheoryData<string> Routes => [.. Prepared.Keys];

    /// <summary>Each POST route that takes metadata, with the members of a request but these.</summary>
    private static Dictionary<string, Func<GiftcardApi, Task<string>>> Prepared { get; } =
        new()
        {
            ["/v1/programs"] = _ => Task.FromResult(""" "name": "Terms", "currency": "EUR" """),
            ["/v1/gift_cards"] = async api =>
                $$"""
                    "program_id": "{{await PinsAsync(
                        api
                    )}}", "amount": { "amount": 100, "currency": "EUR" }, "pin": "0815",
                    "recipient": { "email": "a@shop.test", "name": "A" }
                    """,
            ["/v1/gift_cards/bulk"] = async api => $""" "program_id": "{await api.ProgramAsync()}", "quantity": 2 """,
            ["/v1/redemptions"] = async api => $""" "mode": "immediate", {await PaymentAsync(api)} """,
            ["/v1/redemptions (two phases)"] = async api => $""" "mode": "two_phase", {await PaymentAsync(api)} """,
            ["/v1/holds"] = PaymentAsync,
        };

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Fault_15_the_order_of_members_counts_neither_in_metadata_nor_in_the_body(string route)
    {
        var (path, members, key) = await PrepareAsync(route);
        var first = await SendAsync(path, $$"""{ {{members}}, "metadata": {{Metadata}} }""", key);
        Assert.InRange(first.Status, 200, 299);

        var again = await SendAsync(path, $$"""{ "metadata": {{Turned}}, {{members}} }""", key);
        Assert.Equal((first.Status, first.Body, true), (again.Status, again.Body, again.IsReplayed));

        var other = await SendAsync(path, $$"""{ {{members}}, "metadata": {{Other}} }""", key);
        Assert.Equal((422, "idempotency_key_reused"), (other.Status, other.Code));
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Fault_15_what_is_stored_of_a_request_can_not_be_guessed_at_without_the_key(string route)
    {
        var (path, members, key) = await PrepareAsync(route);
        var body = $$"""{{{members}},"metadata":{{Metadata}}}""";
        Assert.InRange((await SendAsync(path, body, key)).Status, 200, 299);

        var stored = await StoredAsync(key);
        Assert.NotEmpty(stored);
        var parsed = JsonSerializer.Deserialize<JsonElement>(body);
        foreach (var text in new[] { body, JsonSerializer.Serialize(parsed), Canonical(parsed) })
        {
            foreach (var guess in new[] { text, $"POST\n{path}\n{text}", $"POST {path}\n{text}", $"POST {path}{text}" })
            {
                var hash = SHA256.HashData(Encoding.UTF8.GetBytes(guess));
                Assert.All(stored, fingerprint => Assert.NotEqual(hash[..31], fingerprint[1..]));
                Assert.All(stored, fingerprint => Assert.NotEqual(hash, fingerprint));
            }
        }
    }

    [Fact]
    public async Task Fault_15_a_repeat_after_the_key_was_rotated_is_replayed_and_what_was_begun_before_is_finished()
    {
        var sent = new List<(string Path, string Members, string Key, Reply First)>();
        foreach (var route in Prepared.Keys)
        {
            var (path, members, key) = await PrepareAsync(route);
            var first = await SendAsync(path, $$"""{ {{members}}, "metadata": {{Metadata}} }""", key);
            sent.Add((path, members, key, first));
        }

        var (till, payment, begun) = await PrepareAsync("/v1/redemptions");
        api.Ledger.DeafTo["spend"] = true;
        Assert.Equal(503, (await SendAsync(till, $"{{ {payment} }}", begun)).Status);
        await api.RestartAsync(("Secrets__fingerprint_keys", $"{NewKey},{OldKey}"));
        api.Ledger.DeafTo.Clear();

        foreach (var (path, members, key, first) in sent)
        {
            var again = await SendAsync(path, $$"""{ "metadata": {{Turned}}, {{members}} }""", key);
            Assert.Equal((first.Status, first.Body, true), (again.Status, again.Body, again.IsReplayed));
            Assert.Equal(
                "idempotency_key_reused",
                (await SendAsync(path, $$"""{ {{members}}, "metadata": {{Other}} }""", key)).Code
            );
            Assert.All(await StoredAsync(key), fingerprint => Assert.Equal(1, fingerprint[0]));
        }

        await Eventually.TrueAsync(
            async () =>
            {
                var repeat = await SendAsync(till, $"{{ {payment} }}", begun);
                Assert.True(
                    repeat.Status == 201 || repeat.Code is "request_in_progress" or "busy" or "overloaded",
                    repeat.Body
                );
                return repeat.Status == 201;
            },
            because: () => api.Service.Output
        );
        var (_, terms, fresh) = await PrepareAsync("/v1/programs");
        await SendAsync("/v1/programs", $"{{ {terms} }}", fresh);
        Assert.All(await StoredAsync(fresh), fingerprint => Assert.Equal(2, fingerprint[0]));
    }

    private static Task<string> PinsAsync(GiftcardApi api) =>
        api.ProgramAsync(
            new
            {
                name = "With a PIN",
                currency = "EUR",
                pin = "optional",
            }
        );

    private static async Task<string> PaymentAsync(GiftcardApi api) =>
        $$"""
            "amount": { "amount": 40, "currency": "EUR" },
            "sources": [{ "gift_card": { "code": "{{(await api.SellAsync(100)).Code}}" } }]
            """;

    private static string Canonical(JsonElement value)
    {
        var canonical = new System.Buffers.ArrayBufferWriter<byte>();
        new CanonicalJson(canonical).Value(value);
        return Encoding.UTF8.GetString(canonical.WrittenSpan);
    }

    private async Task<(string Path, string Members, string Key)> PrepareAsync(string route) =>
        (route.Split(' ')[0], await Prepared[route](api), Guid.CreateVersion7().ToString());

    private async Task<Reply> SendAsync(string path, string body, string key)
    {
        using var answer = await api.SendAsync(HttpMethod.Post, path, api.Key, body, key);
        return new(
            (int)answer.StatusCode,
            await answer.Content.ReadAsStringAsync(),
            answer.Headers.Contains("Idempotency-Replayed")
        );
    }

    /// <summary>Every fingerprint that is kept of a key.</summary>
    private async Task<IReadOnlyList<byte[]>> StoredAsync(string key)
    {
        await using var source = NpgsqlDataSource.Create(api.Database.OwnerConnectionString);
        await using var command = source.CreateCommand(
            """
            SELECT fingerprint FROM idempotency_keys WHERE key = $1
             UNION ALL
            SELECT fingerprint FROM idempotency_claims WHERE key = $1
            """
        );
        command.Parameters.AddWithValue(key);
        await using var reader = await command.ExecuteReaderAsync();
        var found = new List<byte[]>();
        while (await reader.ReadAsync())
        {
            found.Add(reader.GetFieldValue<byte[]>(0));
        }

        return found;
    }

    private sealed record Reply(int Status, string Body, bool IsReplayed)
    {
        public string? Code =>
            Status < 400 ? null : JsonSerializer.Deserialize<JsonElement>(Body).GetProperty("code").GetString();
    }
}
