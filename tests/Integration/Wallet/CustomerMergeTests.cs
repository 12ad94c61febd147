using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Wallet;

public sealed class CustomerMergeTests(WalletApi api) : IClassFixture<WalletApi>
{
    private const string Cards = "giftcard.cards.v1";

    [Fact]
    public async Task Two_customers_become_one_with_all_that_either_had()
    {
        var (merchant, key) = api.NewMerchant();
        var from = await NewAsync(
            key,
            new
            {
                email = "twice@example.test",
                name = "Twice",
                phone = "+33123456700",
            }
        );
        var into = await NewAsync(key, new { email = "once@example.test" });
        var (first, second) = (GiftCardId.New(TimeProvider.System), GiftCardId.New(TimeProvider.System));
        await api.Service.DeliverAsync(Cards, Card(merchant, first, from));
        await api.Service.CallAsync(
            HttpMethod.Post,
            $"/v1/customers/{from}/consents",
            key,
            new
            {
                purpose = "newsletter",
                text_version = "1",
                proof = "on paper",
            },
            201
        );

        var merged = await MergeAsync(key, from, into);

        Assert.Equal(into, merged.GetProperty("id").GetString());
        // A card whose event names the old id comes to the customer that there is.
        await api.Service.DeliverAsync(Cards, Card(merchant, second, from));
        foreach (var id in new[] { from, into })
        {
            var customer = await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}", key);
            Assert.Equal(
                (into, "once@example.test", "Twice", "+33123456700"),
                (
                    customer.GetProperty("id").GetString(),
                    customer.GetProperty("email").GetString(),
                    customer.GetProperty("name").GetString(),
                    customer.GetProperty("phone").GetString()
                )
            );
            var wallet = await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}/wallet", key);
            Assert.Equal(
                new HashSet<string> { first.ToString(), second.ToString() },
                wallet
                    .GetProperty("gift_cards")
                    .EnumerateArray()
                    .Select(c => c.GetProperty("gift_card_id").GetString()!)
                    .ToHashSet()
            );
            var consents = await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}/consents", key);
            Assert.Equal("on paper", consents.GetProperty("data")[0].GetProperty("proof").GetString());
        }
    }

    [Fact]
    public async Task What_found_a_merged_customer_finds_the_one_that_is_left()
    {
        var (merchant, key) = api.NewMerchant();
        var from = await NewAsync(key, new { email = "gone@example.test" });
        var into = await NewAsync(key, new { email = "left@example.test" });
        await MergeAsync(key, from, into);

        var again = await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/customers",
            key,
            new { email = "GONE@example.test" },
            409
        );
        var sold = await api.Service.InvokeAsync(
            HttpMethod.Post,
            "/internal/customers",
            new { merchant_id = merchant.ToString(), email = "gone@example.test" }
        );
        var contact = await api.Service.InvokeAsync(
            HttpMethod.Get,
            $"/internal/customers/{from}/contact?merchant_id={merchant}"
        );
        await api.Service.InvokeAsync(
            HttpMethod.Get,
            $"/internal/customer_ids/{from}?merchant_id={merchant}",
            status: 204
        );

        Assert.Equal(into, again.GetProperty("customer_id").GetString());
        Assert.Equal(into, sold.GetProperty("customer_id").GetString());
        Assert.Equal("left@example.test", contact.GetProperty("email").GetString());
        var listed = await api.Service.CallAsync(HttpMethod.Get, "/v1/customers", key);
        Assert.Equal(into, Assert.Single(listed.GetProperty("data").EnumerateArray()).GetProperty("id").GetString());
        // And the address is the one's own to take.
        var taken = await api.Service.PatchAsync($"/v1/customers/{into}", key, 2, new { email = "gone@example.test" });
        Assert.Equal("gone@example.test", taken.GetProperty("email").GetString());
    }

    [Fact]
    public async Task The_data_of_a_merged_customer_is_destroyed_with_its_key()
    {
        var (_, key) = api.NewMerchant();
        var from = await NewAsync(key, new { email = "destroyed@example.test" });
        var into = await NewAsync(key, new { email = "kept@example.test" });

        await MergeAsync(key, from, into);

        var id = CustomerId.Parse(from).Value;
        Assert.Equal(
            (0L, 1L),
            (
                await api.Database.ScalarAsync<long>($"SELECT count(*) FROM subject_keys WHERE customer_id = '{id}'"),
                await api.Database.ScalarAsync<long>(
                    $"SELECT count(*) FROM customers WHERE customer_id = '{id}' AND personal_data IS NULL"
                )
            )
        );
    }

    [Fact]
    public async Task A_merge_with_itself_with_a_stranger_s_or_with_nobody_is_refused()
    {
        var (_, key) = api.NewMerchant();
        var (_, stranger) = api.NewMerchant();
        var mine = await NewAsync(key, new { email = "mine@example.test" });
        var other = await NewAsync(key, new { email = "other@example.test" });
        var theirs = await NewAsync(stranger, new { email = "theirs@example.test" });

        await MergeAsync(key, mine, mine, 400);
        await MergeAsync(key, mine, theirs, 404);
        await MergeAsync(stranger, mine, theirs, 404);
        await MergeAsync(key, mine, other);
        await MergeAsync(key, other, mine, 400);
    }

    [Fact]
    public async Task Merges_in_a_circle_at_once_leave_one_customer()
    {
        var (_, key) = api.NewMerchant();
        var ids = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            ids.Add(await NewAsync(key, new { email = $"circle{i}@example.test" }));
        }

        var codes = await Task.WhenAll(
            ids.Select(
                async (id, i) =>
                {
                    using var answer = await api.Service.SendAsync(
                        HttpMethod.Post,
                        $"/v1/customers/{id}/merge",
                        key,
                        new { into = ids[(i + 1) % ids.Count] }
                    );
                    return (int)answer.StatusCode;
                }
            )
        );

        Assert.Equal(3, codes.Count(code => code == 200));
        Assert.Single(codes, code => code == 400);
        var listed = await api.Service.CallAsync(HttpMethod.Get, "/v1/customers", key);
        var left = Assert.Single(listed.GetProperty("data").EnumerateArray()).GetProperty("id").GetString();
        foreach (var id in ids)
        {
            var customer = await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}", key);
            Assert.Equal(left, customer.GetProperty("id").GetString());
        }

        Assert.DoesNotContain("40P01", api.Service.Output, StringComparison.Ordinal);
    }

    private static TestEvent Card(MerchantId merchant, GiftCardId card, string customer) =>
        new(
            "gift_card.activated",
            card.ToString(),
            1,
            merchant,
            new
            {
                gift_card_id = card.ToString(),
                program_id = ProgramId.New(TimeProvider.System).ToString(),
                last4 = "7Q2M",
                amount = 5000,
                currency = "EUR",
                customer_id = customer,
            }
        );

    private async Task<string> NewAsync(string key, object body) =>
        (await api.Service.CallAsync(HttpMethod.Post, "/v1/customers", key, body, 201)).GetProperty("id").GetString()!;

    private Task<JsonElement> MergeAsync(string key, string from, string into, int status = 200) =>
        api.Service.CallAsync(HttpMethod.Post, $"/v1/customers/{from}/merge", key, new { into }, status);
}
