using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Wallet;

/// <summary>Customers are listed, found and changed.</summary>
public sealed class CustomerChangeTests(WalletApi api) : IClassFixture<WalletApi>
{
    [Fact]
    public async Task Customers_are_listed_page_by_page_newest_first_for_their_merchant_only()
    {
        var (_, key) = api.NewMerchant();
        var (_, stranger) = api.NewMerchant();
        var made = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            made.Add(await NewAsync(key, new { email = $"list{i}@example.test" }));
        }

        var listed = new List<string>();
        var path = "/v1/customers?limit=2";
        while (path.Length > 0)
        {
            var page = await api.Service.CallAsync(HttpMethod.Get, path, key);
            listed.AddRange(page.GetProperty("data").EnumerateArray().Select(c => c.GetProperty("email").GetString()!));
            path = page.GetProperty("has_more").GetBoolean()
                ? $"/v1/customers?limit=2&cursor={page.GetProperty("next_cursor").GetString()}"
                : "";
        }

        Assert.Equal(["list4", "list3", "list2", "list1", "list0"], listed.Select(email => email.Split('@')[0]));
        var others = await api.Service.CallAsync(HttpMethod.Get, "/v1/customers", stranger);
        Assert.Empty(others.GetProperty("data").EnumerateArray());
    }

    [Fact]
    public async Task A_customer_is_found_by_address_and_by_telephone_however_they_are_written()
    {
        var (_, key) = api.NewMerchant();
        var (_, stranger) = api.NewMerchant();
        var anna = await NewAsync(key, new { email = "anna@example.test", phone = "+33 1 23 45 67 89" });
        var ben = await NewAsync(key, new { email = "ben@example.test", phone = "0033 123-456-789" });

        Assert.Equal([anna], await FoundAsync(key, new { email = "ANNA@example.test" }));
        Assert.Equal([ben, anna], await FoundAsync(key, new { phone = "+33123456789" }));
        Assert.Empty(await FoundAsync(key, new { email = "nobody@example.test" }));
        Assert.Empty(await FoundAsync(stranger, new { phone = "+33123456789" }));
    }

    [Theory]
    [InlineData("{}", "/", "exactly_one")]
    [InlineData("""{"email":"a@b.test","phone":"+33123456789"}""", "/", "exactly_one")]
    [InlineData("""{"phone":"12"}""", "/phone", "invalid")]
    [InlineData("""{"email":"nobody"}""", "/email", "invalid")]
    public async Task What_is_wrong_with_a_search_is_named(string body, string pointer, string code)
    {
        var (_, key) = api.NewMerchant();

        var problem = await api.Service.CallAsync(HttpMethod.Post, "/v1/customers/find", key, body, 400);

        var error = Assert.Single(problem.GetProperty("errors").EnumerateArray());
        Assert.Equal(
            (pointer.TrimEnd('/'), code),
            (error.GetProperty("pointer").GetString()!.TrimEnd('/'), error.GetProperty("code").GetString())
        );
    }

    [Fact]
    public async Task A_change_keeps_what_is_not_sent_and_is_found_by_what_is_new()
    {
        var (_, key) = api.NewMerchant();
        var id = await NewAsync(
            key,
            new
            {
                email = "old@example.test",
                name = "Old",
                phone = "+33123456780",
            }
        );

        var changed = await api.Service.PatchAsync(
            $"/v1/customers/{id}",
            key,
            1,
            new
            {
                email = "new@example.test",
                locale = "fr",
                remove = new[] { "phone" },
            }
        );

        Assert.Equal(
            ("new@example.test", "Old", "fr", 2),
            (
                changed.GetProperty("email").GetString(),
                changed.GetProperty("name").GetString(),
                changed.GetProperty("locale").GetString(),
                changed.GetProperty("version").GetInt64()
            )
        );
        Assert.False(changed.TryGetProperty("phone", out _));
        var read = await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}", key);
        Assert.Equal(changed.ToString(), read.ToString());
        Assert.Equal([id], await FoundAsync(key, new { email = "new@example.test" }));
        Assert.Empty(await FoundAsync(key, new { email = "old@example.test" }));
        Assert.Empty(await FoundAsync(key, new { phone = "+33123456780" }));
    }

    [Fact]
    public async Task A_change_of_another_version_or_to_another_s_address_is_refused()
    {
        var (_, key) = api.NewMerchant();
        var (_, stranger) = api.NewMerchant();
        var first = await NewAsync(key, new { email = "first@example.test" });
        var second = await NewAsync(key, new { email = "second@example.test" });
        var path = $"/v1/customers/{second}";

        await api.Service.PatchAsync(path, key, null, new { name = "Somebody" }, 428);
        await api.Service.PatchAsync(path, key, 7, new { name = "Somebody" }, 412);
        await api.Service.PatchAsync(path, stranger, 1, new { name = "Somebody" }, 404);
        var taken = await api.Service.PatchAsync(path, key, 1, new { email = "FIRST@example.test" }, 409);
        var wrong = await api.Service.PatchAsync(path, key, 1, new { name = "N", remove = new[] { "name" } }, 400);

        Assert.Equal("customer_exists", taken.GetProperty("code").GetString());
        Assert.Equal(first, taken.GetProperty("customer_id").GetString());
        Assert.Equal("contradiction", wrong.GetProperty("errors")[0].GetProperty("code").GetString());
        var read = await api.Service.CallAsync(HttpMethod.Get, path, key);
        Assert.Equal(
            ("second@example.test", 1),
            (read.GetProperty("email").GetString(), read.GetProperty("version").GetInt64())
        );
    }

    [Fact]
    public async Task Of_changes_at_once_to_one_version_one_is_made()
    {
        var (_, key) = api.NewMerchant();
        var id = await NewAsync(key, new { email = "race@example.test" });

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 6)
                .Select(async i =>
                {
                    try
                    {
                        await api.Service.PatchAsync($"/v1/customers/{id}", key, 1, new { name = $"Name {i}" });
                        return true;
                    }
                    catch (Xunit.Sdk.TrueException refused)
                        when (refused.Message.Contains(": 412 ", StringComparison.Ordinal))
                    {
                        return false;
                    }
                })
        );

        Assert.Single(answers, made => made);
    }

    [Fact]
    public async Task A_telephone_that_an_older_release_took_is_found_soon()
    {
        var (_, key) = api.NewMerchant();
        var id = await NewAsync(key, new { email = "before@example.test", phone = "+49 1573 598264" });
        await using var connection = new NpgsqlConnection(api.Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var before = new NpgsqlCommand(
            "UPDATE customers SET phone_lookup = NULL, lookups_made = 1 WHERE customer_id = @Id",
            connection
        );
        before.Parameters.AddWithValue("Id", CustomerId.Parse(id).Value);

        Assert.Equal(1, await before.ExecuteNonQueryAsync());

        await Eventually.TrueAsync(async () =>
            (await FoundAsync(key, new { phone = "+491573598264" })).SequenceEqual([id])
        );
    }

    private async Task<string> NewAsync(string key, object body) =>
        (await api.Service.CallAsync(HttpMethod.Post, "/v1/customers", key, body, 201)).GetProperty("id").GetString()!;

    private async Task<string[]> FoundAsync(string key, object body)
    {
        var found = await api.Service.CallAsync(HttpMethod.Post, "/v1/customers/find", key, body);
        return [.. found.GetProperty("data").EnumerateArray().Select(c => c.GetProperty("id").GetString()!)];
    }
}
