using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Giftcard;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Privacy;

/// <summary>What a person may ask of all services together: to see what is kept, and to be forgotten.</summary>
[Trait("Run", "named")]
public sealed class PersonTests : IAsyncLifetime
{
    private const string Email = "zacharias.quimby@example.test";
    private const string Name = "Zacharias Quimby";
    private const string Phone = "+33 6 99 88 77 66";
    private const string Giver = "Aunt Melusine";
    private const string Wishes = "Many happy returns, Zacharias";
    private const string Proof = "signed by Quimby in the shop";
    private const string Reason = "Quimby disputes a payment";

    /// <summary>What would name the person, in whatever spelling it is searched for.</summary>
    private static readonly string[] Canaries = ["zacharias", "quimby", "699887766", "6 99 88 77", "melusine"];

    private readonly PrivacyStage stage = new();

    public Task InitializeAsync() => stage.InitializeAsync();

    public Task DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task An_export_has_what_every_service_keeps_of_the_person_and_nothing_of_another()
    {
        var shop = stage.NewShop();
        var person = await AppearAsync(shop);
        await AppearAsync(shop, "other@example.test", "Other", "A card of somebody else");

        var export = await ExportAsync(shop, person.Customer);

        var customer = export.GetProperty("customer");
        Assert.Equal(
            (Email, Name, Phone),
            (
                customer.GetProperty("email").GetString(),
                customer.GetProperty("name").GetString(),
                customer.GetProperty("phone").GetString()
            )
        );
        Assert.Equal(Proof, export.GetProperty("consents")[0].GetProperty("proof").GetString());
        var card = Assert.Single(export.GetProperty("gift_cards").EnumerateArray());
        Assert.Equal(person.Card, card.GetProperty("id").GetString());
        Assert.Equal(
            (Giver, Wishes),
            (card.GetProperty("giver_name").GetString(), card.GetProperty("giver_message").GetString())
        );
        Assert.Contains(
            card.GetProperty("activities").EnumerateArray(),
            activity => activity.GetProperty("amount").GetInt64() == 5000
        );
        var messages = export.GetProperty("messages").EnumerateArray().ToArray();
        Assert.NotEmpty(messages);
        Assert.All(messages, m => Assert.Equal(person.Card, m.GetProperty("gift_card_id").GetString()));
    }

    [Fact]
    public async Task T50_Nothing_names_a_person_who_is_erased_in_any_database_log_or_event()
    {
        var shop = stage.NewShop();
        var person = await AppearAsync(shop);
        await stage.Wallet.Service.PatchAsync(
            $"/v1/customers/{person.Customer}",
            shop.CustomerKey,
            2,
            new { locale = "fr" }
        );
        await HoldAsync(shop, person.Customer, "");
        await stage.Wallet.Service.CallAsync(
            HttpMethod.Post,
            $"/v1/customers/{person.Customer}/erase",
            shop.CustomerKey,
            new { },
            409
        );
        await HoldAsync(shop, person.Customer, "/lift");
        await ExportAsync(shop, person.Customer);
        // The search finds what is there: a programme's name, and an id.
        Assert.NotEmpty(await stage.RowsWithAsync("Privacy programme"));
        Assert.NotEmpty(await stage.RowsWithAsync(CustomerId.Parse(person.Customer).Value.ToString()));

        await EraseAsync(shop, person.Customer);
        await ForgottenEverywhereAsync(person.Customer);

        Assert.Empty(await stage.RowsWithAsync(Canaries));
        Assert.Empty(await stage.RowsWithAsync("z***@***.test"));
        var told = stage.Told();
        Assert.All(Canaries, word => Assert.DoesNotContain(word, told, StringComparison.OrdinalIgnoreCase));
        // Nothing that is sealed is left to be opened, and no key to try.
        var id = CustomerId.Parse(person.Customer).Value;
        var card = GiftCardId.Parse(person.Card).Value;
        Assert.Equal(
            (0L, 0L, 0L),
            (
                await stage.Wallet.Database.ScalarAsync<long>(
                    $"SELECT count(*) FROM subject_keys WHERE customer_id = '{id}'"
                ),
                await stage.Giftcard.Database.ScalarAsync<long>(
                    $"SELECT count(*) FROM card_deliveries WHERE gift_card_id = '{card}' AND sealed_note IS NOT NULL"
                ),
                await stage.Notification.Database.ScalarAsync<long>(
                    $"SELECT count(*) FROM card_holders WHERE customer_id = '{id}'"
                )
            )
        );
        // Whoever has the code still has the value.
        var spent = await stage.Giftcard.PostAsync(
            "/v1/redemptions",
            GiftcardApi.Redemption(person.Code, 1000),
            201,
            key: shop.CardKey
        );
        Assert.Equal("completed", spent.GetProperty("state").GetString());
    }

    [Fact]
    public async Task T32_After_a_restore_of_older_backups_a_person_is_forgotten_again_and_the_ledger_proves_itself()
    {
        var shop = stage.NewShop();
        var person = await AppearAsync(shop);
        await Task.WhenAll(stage.Wallet.StopAsync(), stage.Giftcard.StopAsync());
        var (customers, cards) = (await stage.Wallet.Database.CloneAsync(), await stage.Giftcard.Database.CloneAsync());
        await Task.WhenAll(stage.Wallet.StartAsync(), stage.Giftcard.StartAgainAsync());
        await EraseAsync(shop, person.Customer);
        await ForgottenEverywhereAsync(person.Customer);

        await Task.WhenAll(stage.Wallet.StopAsync(), stage.Giftcard.StopAsync());
        // The backups know the person.
        var id = CustomerId.Parse(person.Customer).Value;
        Assert.Equal(
            (1L, 1L),
            (
                await customers.ScalarAsync<long>($"SELECT count(*) FROM subject_keys WHERE customer_id = '{id}'"),
                await cards.ScalarAsync<long>("SELECT count(*) FROM card_deliveries WHERE sealed_note IS NOT NULL")
            )
        );

        await Task.WhenAll(stage.Wallet.StartAsync(customers), stage.Giftcard.StartAgainAsync(cards));

        await ForgottenEverywhereAsync(person.Customer);
        // The others may be told by an event of before the restore; wallet has to look at their lists.
        await stage.UntilAsync(async () =>
            await customers.ScalarAsync<long>($"SELECT count(*) FROM erasures WHERE customer_id = '{id}'") == 1
        );
        await stage.Wallet.Service.CallAsync(
            HttpMethod.Get,
            $"/v1/customers/{person.Customer}",
            shop.CustomerKey,
            status: 404
        );
        Assert.Equal(
            (0L, 0L),
            (
                await customers.ScalarAsync<long>($"SELECT count(*) FROM subject_keys WHERE customer_id = '{id}'"),
                await cards.ScalarAsync<long>("SELECT count(*) FROM card_deliveries WHERE sealed_note IS NOT NULL")
            )
        );
        Assert.Empty(await stage.RowsWithAsync(Canaries));
        var (verified, said) = await stage.VerifyLedgerAsync();
        Assert.True(verified == 0, said);
        Assert.Contains("are as they were signed", said, StringComparison.Ordinal);
    }

    /// <summary>A card is sold to somebody, mailed with wishes, and a consent is given.</summary>
    private async Task<Person> AppearAsync(
        PrivacyStage.Shop shop,
        string email = Email,
        string name = Name,
        string wishes = Wishes
    )
    {
        var program = await stage.Giftcard.ProgramAsync(
            new { name = "Privacy programme", currency = "EUR" },
            shop.CardKey
        );
        var card = await stage.Giftcard.PostAsync(
            "/v1/gift_cards",
            new
            {
                program_id = program,
                amount = GiftcardApi.Eur(5000),
                recipient = new { email, name },
                delivery = new { from = Giver, message = wishes },
            },
            201,
            key: shop.CardKey
        );
        var customer = card.GetProperty("customer_id").GetString()!;
        var id = card.GetProperty("id").GetString()!;
        stage.MailsOf(customer, id);
        await stage.Wallet.Service.PatchAsync($"/v1/customers/{customer}", shop.CustomerKey, 1, new { phone = Phone });
        await stage.Wallet.Service.CallAsync(
            HttpMethod.Post,
            $"/v1/customers/{customer}/consents",
            shop.CustomerKey,
            new
            {
                purpose = "newsletter",
                text_version = "2026-01",
                proof = Proof,
            },
            201
        );
        await stage.UntilAsync(() =>
            Task.FromResult(
                stage.Notification.Smtp.Mails.Any(mail =>
                    mail.To.Contains(email, StringComparison.Ordinal)
                    && mail.Body.Contains(wishes.Split(',')[0], StringComparison.Ordinal)
                )
            )
        );
        var sent = await stage.Giftcard.Service.InvokeAsync(HttpMethod.Get, $"/internal/gift_cards/{id}/delivery");
        return new(customer, id, sent.GetProperty("code").GetString()!);
    }

    private Task<JsonElement> ExportAsync(PrivacyStage.Shop shop, string customer) =>
        stage.Wallet.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{customer}/export", shop.CustomerKey);

    private Task<JsonElement> EraseAsync(PrivacyStage.Shop shop, string customer) =>
        stage.Wallet.Service.CallAsync(HttpMethod.Post, $"/v1/customers/{customer}/erase", shop.CustomerKey, new { });

    private Task<JsonElement> HoldAsync(PrivacyStage.Shop shop, string customer, string verb) =>
        stage.Wallet.Service.CallAsync(
            HttpMethod.Post,
            $"/v1/customers/{customer}/legal_hold{verb}",
            shop.CustomerKey,
            new { reason = Reason }
        );

    private Task ForgottenEverywhereAsync(string customer)
    {
        var query = $"SELECT count(*) FROM forgotten_holders WHERE customer_id = '{CustomerId.Parse(customer).Value}'";
        return stage.UntilAsync(async () =>
            await stage.Giftcard.Database.ScalarAsync<long>(query) == 1
            && await stage.Notification.Database.ScalarAsync<long>(query) == 1
        );
    }

    private sealed record Person(string Customer, string Card, string Code);
}
