using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LocalPlus.Cli.Proof;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Merchant;

/// <summary>What people and keys do is kept, read by whose it is, and shows when it was tampered with.</summary>
public sealed class AuditTests(MerchantApi api) : IClassFixture<MerchantApi>
{
    private const string Topic = "merchant.audit.v1";
    private int delivered;

    [Fact]
    public async Task Who_did_what_from_where_and_why_is_in_the_merchant_s_audit_and_in_nobody_else_s()
    {
        var (id, key, keyId) = await api.OnboardAsync();
        var (_, stranger, _) = await api.OnboardAsync();
        var made = await api.CallAsync(
            HttpMethod.Post,
            "/v1/api_keys",
            key,
            new { name = "Till", scopes = new[] { "gift_cards:read" } },
            201
        );
        await api.OperateAsync(
            HttpMethod.Post,
            $"/ops/v1/merchants/{id}/suspend",
            "operator",
            new { reason = "complaints" }
        );
        await api.OperateAsync(
            HttpMethod.Post,
            $"/ops/v1/merchants/{id}/resume",
            "operator",
            new { reason = "settled" }
        );

        var entries = await EntriesAsync(key, 4);

        var created = Assert.Single(entries, e => Text(e, "action") == "api_key.create");
        Assert.Equal(
            (made.GetProperty("id").GetString(), "key", keyId, "merchant", "127.0.0.0/24"),
            (
                Text(created, "target"),
                Text(created, "actor_kind"),
                Text(created, "actor"),
                Text(created, "service"),
                Text(created, "address")
            )
        );
        var suspended = Assert.Single(entries, e => Text(e, "action") == "merchant.suspend");
        Assert.Equal(
            (id, "operator", "operator", "complaints"),
            (
                Text(suspended, "target"),
                Text(suspended, "actor_kind"),
                Text(suspended, "role"),
                Text(suspended, "reason")
            )
        );
        Assert.Equal(
            ("status", "active", "suspended"),
            (
                Text(suspended.GetProperty("changes")[0], "field"),
                Text(suspended.GetProperty("changes")[0], "before"),
                Text(suspended.GetProperty("changes")[0], "after")
            )
        );
        Assert.DoesNotContain(await EntriesAsync(stranger, 1), e => Text(e, "target") == id);
        var found = await api.CallAsync(HttpMethod.Get, "/v1/audit?action=merchant.suspend&limit=1", key);
        Assert.Equal(Text(suspended, "id"), Text(Assert.Single(found.GetProperty("data").EnumerateArray()), "id"));
        var operators = await api.OperateAsync(HttpMethod.Get, $"/ops/v1/audit?merchant_id={id}", "viewer");
        Assert.Equal(entries.Length, operators.GetProperty("data").GetArrayLength());
    }

    [Fact]
    public async Task What_was_refused_or_answered_again_leaves_nothing()
    {
        var (_, key, _) = await api.OnboardAsync();
        var body = new { name = "Till", scopes = new[] { "gift_cards:read" } };
        await api.CallAsync(HttpMethod.Post, "/v1/api_keys", key, body, 201, "audited-once");
        await api.CallAsync(HttpMethod.Post, "/v1/api_keys", key, body, 201, "audited-once");
        await api.CallAsync(HttpMethod.Post, "/v1/api_keys", key, new { name = "", scopes = new[] { "x" } }, 400);
        await api.PatchAsync(key, new { name = "Other" }, 99, 412);
        await api.PatchAsync(key, new { name = "Other" }, 1);

        var entries = await EntriesAsync(key, 3);

        Assert.Equal(["merchant.change", "api_key.create", "merchant.onboard"], entries.Select(e => Text(e, "action")));
        // Names of members, not what they say.
        Assert.Equal("name", Text(entries[0].GetProperty("changes")[0], "field"));
        Assert.False(entries[0].GetProperty("changes")[0].TryGetProperty("after", out _));
    }

    [Fact]
    public async Task An_entry_that_is_delivered_again_is_kept_once()
    {
        var (id, key, _) = await api.OnboardAsync();
        await EntriesAsync(key, 1);
        delivered = 0;

        var entries = await EntriesAsync(key, 1);

        Assert.Single(entries);
        Assert.True((await VerifyAsync(id)).GetProperty("verified").GetBoolean());
    }

    [Fact]
    public async Task An_export_is_proved_by_whoever_has_it()
    {
        var (id, key, _) = await api.OnboardAsync();
        await api.PatchAsync(key, new { name = "Renamed" }, 1);
        await EntriesAsync(key, 2);

        var lines = (await ExportAsync(key))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonSerializer.Deserialize<JsonElement>(line))
            .ToArray();

        Assert.Equal(3, lines.Length);
        var hash = new byte[32];
        foreach (var line in lines[..^1])
        {
            hash = SHA256.HashData([.. hash, .. Encoding.UTF8.GetBytes(Text(line, "entry")!)]);
            Assert.Equal(Convert.ToBase64String(hash), Text(line, "hash"));
        }

        Assert.Equal(
            (2, Convert.ToBase64String(hash)),
            (lines[^1].GetProperty("size").GetInt64(), Text(lines[^1], "hash"))
        );
        var verified = await VerifyAsync(id, $"&size=2&hash={Uri.EscapeDataString(Convert.ToBase64String(hash))}");
        Assert.True(verified.GetProperty("verified").GetBoolean());
        // By whoever has the public key alone.
        using var publicKeys = PublicKeys.Read(Text(await api.CallAsync(HttpMethod.Get, "/v1/audit/key", key), "pem")!);
        Assert.Contains(
            "chain: 2 entries, each linked to the one before it",
            AuditExport.Check(lines.Select(line => line.GetRawText()), publicKeys)
        );
    }

    [Fact]
    public async Task What_is_signed_is_read_by_whose_it_is_and_told_by_an_event()
    {
        var (id, key, _) = await api.OnboardAsync();
        var (_, stranger, _) = await api.OnboardAsync();
        await api.PatchAsync(key, new { name = "Renamed" }, 1);
        await EntriesAsync(key, 2);

        var newest = await api.CallAsync(HttpMethod.Get, "/v1/audit/checkpoints?limit=1", key);
        var last = Assert.Single(newest.GetProperty("data").EnumerateArray());
        Assert.Equal(2, last.GetProperty("size").GetInt64());
        Assert.Equal(Text(await VerifyAsync(id), "hash"), Text(last, "hash"));
        var older = await api.CallAsync(
            HttpMethod.Get,
            $"/v1/audit/checkpoints?cursor={Text(newest, "next_cursor")}",
            key
        );
        Assert.Equal([1], older.GetProperty("data").EnumerateArray().Select(c => c.GetProperty("size").GetInt64()));
        Assert.DoesNotContain(
            (await api.CallAsync(HttpMethod.Get, "/v1/audit/checkpoints", stranger))
                .GetProperty("data")
                .EnumerateArray(),
            c => Text(c, "note") == Text(last, "note")
        );
        await Eventually.TrueAsync(
            () =>
                Task.FromResult(
                    api.Sidecar.Published.Where(m => Text(m, "topic") == "merchant.checkpoints.v1")
                        .Select(m => m.GetProperty("event").GetProperty("data").GetProperty("data"))
                        .Any(told => Text(told, "note") == Text(last, "note"))
                ),
            because: () => api.Service.Output
        );
    }

    [Theory]
    // Whoever has the database and not the key: what was signed, or a signature of his own, or none.
    [InlineData("SELECT 1", "other_head")]
    [InlineData("UPDATE audit_checkpoints SET note = replace(note, 'audit/', 'audit/x')", "not_signed")]
    [InlineData("DELETE FROM audit_checkpoints", "not_signed")]
    public async Task A_history_that_was_written_anew_is_not_the_one_that_was_signed(string cover, string problem)
    {
        var (id, key, _) = await api.OnboardAsync();
        await EntriesAsync(key, 1);
        var entry = Text(
            JsonSerializer.Deserialize<JsonElement>(
                (await ExportAsync(key)).Split('\n', StringSplitOptions.RemoveEmptyEntries)[0]
            ),
            "entry"
        )!;
        var forged = entry.Replace("127.0.0.0", "192.0.2.0", StringComparison.Ordinal);
        Assert.NotEqual(entry, forged);
        var hash = Convert.ToHexString(SHA256.HashData([.. new byte[32], .. Encoding.UTF8.GetBytes(forged)]));

        await ForgeAsync(
            $"""
            UPDATE audit_entries
               SET entry = replace(entry, '127.0.0.0', '192.0.2.0'), hash = '\x{hash}'
             WHERE chain = '{MerchantId.Parse(id).Value}';
            UPDATE audit_chains SET hash = '\x{hash}' WHERE chain = '{MerchantId.Parse(id).Value}';
            {cover}{(
                cover.StartsWith("SELECT", StringComparison.Ordinal)
                    ? ""
                    : $" WHERE chain = '{MerchantId.Parse(id).Value}'"
            )}
            """
        );

        var found = await VerifyAsync(id);
        Assert.Equal((false, problem), (found.GetProperty("verified").GetBoolean(), Text(found, "problem")));
    }

    [Theory]
    [InlineData("UPDATE audit_entries SET entry = entry || ' ' WHERE position = 2", "edited", 2)]
    [InlineData("UPDATE audit_entries SET actor = 'somebody else' WHERE position = 2", "edited", 2)]
    [InlineData("DELETE FROM audit_entries WHERE position = 2", "missing", 2)]
    [InlineData("DELETE FROM audit_entries WHERE position = 3", "cut_off", 3)]
    public async Task What_was_tampered_with_is_found(string sql, string problem, long position)
    {
        var (id, key, _) = await api.OnboardAsync();
        await api.PatchAsync(key, new { name = "First" }, 1);
        await api.PatchAsync(key, new { name = "Second" }, 2);
        await EntriesAsync(key, 3);

        await TamperAsync(id, sql);

        var found = await VerifyAsync(id);
        Assert.Equal(
            (false, problem, position),
            (
                found.GetProperty("verified").GetBoolean(),
                Text(found, "problem"),
                found.GetProperty("position").GetInt64()
            )
        );
    }

    [Fact]
    public async Task A_history_that_was_made_anew_is_not_the_one_whose_head_was_kept()
    {
        var (id, key, _) = await api.OnboardAsync();
        await api.PatchAsync(key, new { name = "First" }, 1);
        await EntriesAsync(key, 2);
        var head = await VerifyAsync(id);
        var kept = $"&size={head.GetProperty("size").GetInt64()}&hash={Uri.EscapeDataString(Text(head, "hash")!)}";
        // Whoever can do everything cuts the end off, and the head with it, and what was signed of it.
        await TamperAsync(id, "DELETE FROM audit_entries WHERE position = 2");
        await TamperAsync(id, "DELETE FROM audit_checkpoints WHERE size = 2");
        await TamperChainAsync(id);

        Assert.True((await VerifyAsync(id)).GetProperty("verified").GetBoolean());
        Assert.Equal("cut_off", Text(await VerifyAsync(id, kept), "problem"));
        await api.PatchAsync(key, new { name = "Another" }, 2);
        await EntriesAsync(key, 2);
        Assert.Equal("other_head", Text(await VerifyAsync(id, kept), "problem"));
    }

    [Fact]
    public async Task Nobody_changes_an_entry_with_the_rights_that_the_service_has()
    {
        var (_, key, _) = await api.OnboardAsync();
        await EntriesAsync(key, 1);
        foreach (var role in new[] { api.Database.ConnectionString, api.Database.OwnerConnectionString })
        {
            foreach (var sql in new[] { "UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries" })
            {
                await using var connection = new NpgsqlConnection(role);
                await connection.OpenAsync();
                await using var command = new NpgsqlCommand(sql, connection);
                var refused = await Assert.ThrowsAsync<PostgresException>(command.ExecuteNonQueryAsync);
                Assert.Contains(
                    refused.SqlState,
                    new[] { PostgresErrorCodes.InsufficientPrivilege, PostgresErrorCodes.RestrictViolation }
                );
            }
        }
    }

    /// <summary>What the merchant reads, once there are so many; the newest first.</summary>
    private async Task<JsonElement[]> EntriesAsync(string key, int count)
    {
        JsonElement[] entries = [];
        await Eventually.TrueAsync(
            async () =>
            {
                await DeliverAsync();
                var page = await api.CallAsync(HttpMethod.Get, "/v1/audit", key);
                entries = [.. page.GetProperty("data").EnumerateArray()];
                return entries.Length >= count;
            },
            because: () => $"{entries.Length} of {count} entries\n{api.Service.Output}"
        );
        Assert.Equal(count, entries.Length);
        return entries;
    }

    /// <summary>What was published comes back, as the broker brings it.</summary>
    private async Task DeliverAsync()
    {
        var published = api.Sidecar.Published.Skip(delivered).ToArray();
        foreach (var message in published.Where(m => m.GetProperty("topic").GetString() == Topic))
        {
            using var content = new StringContent(
                message.GetProperty("event").GetRawText(),
                Encoding.UTF8,
                new MediaTypeHeaderValue("application/cloudevents+json")
            );
            using var answer = await api.Service.App.PostAsync(new Uri($"/events/{Topic}", UriKind.Relative), content);
            Assert.True(answer.IsSuccessStatusCode, api.Service.Output);
        }

        delivered += published.Length;
    }

    private async Task<string> ExportAsync(string key)
    {
        using var answer = await api.Service.SendAsync(HttpMethod.Get, "/v1/audit/export", key);
        return await answer.Content.ReadAsStringAsync();
    }

    private Task<JsonElement> VerifyAsync(string merchant, string kept = "") =>
        api.OperateAsync(HttpMethod.Get, $"/ops/v1/audit/verify?merchant_id={merchant}{kept}", "viewer");

    /// <summary>As a superuser who knows how to get around triggers.</summary>
    private async Task TamperAsync(string merchant, string sql)
    {
        await using var connection = new NpgsqlConnection(api.Database.SuperuserConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            $"SET session_replication_role = replica; {sql} AND chain = '{MerchantId.Parse(merchant).Value}'",
            connection
        );
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }

    private async Task ForgeAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(api.Database.SuperuserConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"SET session_replication_role = replica; {sql}", connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task TamperChainAsync(string merchant)
    {
        await using var connection = new NpgsqlConnection(api.Database.SuperuserConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            $"""
            UPDATE audit_chains c
               SET size = 1, hash = (SELECT e.hash FROM audit_entries e WHERE e.chain = c.chain AND e.position = 1)
             WHERE chain = '{MerchantId.Parse(merchant).Value}'
            """,
            connection
        );
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }

    private static string? Text(JsonElement element, string member) =>
        element.TryGetProperty(member, out var value) ? value.GetString() : null;
}
