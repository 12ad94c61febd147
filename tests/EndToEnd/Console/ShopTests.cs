using System.Net;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.EndToEnd.Console;

/// <summary>A merchant's people at the portal and at the till, without a script: the first hour of a shop.</summary>
[Collection(StackTests.Name)]
public sealed partial class ShopTests(StackFixture stack)
{
    private const string Shop = "/console/shop";
    private const string Till = "/console/till";

    [Fact]
    public async Task From_a_programme_to_a_refund_without_a_terminal()
    {
        using var owner = await Browser.SignedInAsync(stack, "olga", home: Shop);
        Assert.Contains("Corner Shop", await owner.PageAsync(Shop), StringComparison.Ordinal);

        var name = $"Cards {Guid.CreateVersion7():N}";
        var programs = await ReadAsync(
            owner.SubmitAsync(
                await owner.PageAsync($"{Shop}/programs"),
                $"{Shop}/programs",
                ("name", name),
                ("currency", "EUR"),
                ("validity_days", "365")
            )
        );
        Assert.Contains(name, programs, StringComparison.Ordinal);
        var code = await SellAsync(owner, "25,50");

        using var cashier = await Browser.SignedInAsync(stack, "carl", home: Shop);
        var looked = await ActAsync(cashier, "look", code, "");
        Assert.Contains("has 25.50 EUR, of which 0.00 EUR are held", looked, StringComparison.Ordinal);
        Assert.DoesNotContain(code, cashier.At.ToString(), StringComparison.Ordinal);
        var receipt = await ActAsync(cashier, "redeem", code, "20.00");
        Assert.Contains("20.00 EUR are paid.", receipt, StringComparison.Ordinal);
        Assert.Contains("5.50 EUR are left", receipt, StringComparison.Ordinal);

        var id = Id().Match(cashier.At.Query).Value;
        var refunded = await ReadAsync(
            cashier.SubmitAsync(
                receipt,
                $"{Shop}/redemptions/{id}/refund",
                ("amount", "5"),
                ("reason", "one came back")
            )
        );
        Assert.Contains("20.00 EUR were paid, 5.00 EUR of it given back.", refunded, StringComparison.Ordinal);
        Assert.Equal(Till, cashier.At.AbsolutePath);
    }

    [Fact]
    public async Task What_is_held_is_confirmed_in_part_or_cancelled()
    {
        using var owner = await Browser.SignedInAsync(stack, "olga", home: Shop);
        var code = await SellAsync(owner, "10");
        using var cashier = await Browser.SignedInAsync(stack, "carl", home: Shop);

        var held = await ActAsync(cashier, "hold", code, "8");
        var first = Id().Match(cashier.At.Query).Value;
        Assert.Contains("8.00 EUR are held until", held, StringComparison.Ordinal);
        var confirmed = await ReadAsync(
            cashier.SubmitAsync(held, $"{Shop}/redemptions/{first}/confirm", ("amount", "3"))
        );
        Assert.Contains("3.00 EUR are paid.", confirmed, StringComparison.Ordinal);

        var again = await ActAsync(cashier, "hold", code, "7");
        var second = Id().Match(cashier.At.Query).Value;
        var cancelled = await ReadAsync(cashier.SubmitAsync(again, $"{Shop}/redemptions/{second}/cancel"));
        Assert.Contains("It is cancelled.", cancelled, StringComparison.Ordinal);
        Assert.Contains(
            "has 7.00 EUR, of which 0.00 EUR are held",
            await ActAsync(cashier, "look", code, ""),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_form_that_is_sent_twice_does_what_it_does_once()
    {
        using var owner = await Browser.SignedInAsync(stack, "olga", home: Shop);
        var code = await SellAsync(owner, "10");
        var page = await owner.PageAsync(Till);
        (string, string)[] fields = [("code", code), ("amount", "4"), ("currency", "EUR"), ("act", "redeem")];

        await ReadAsync(owner.SubmitAsync(page, Till, fields));
        var first = owner.At;
        await ReadAsync(owner.SubmitAsync(page, Till, fields));

        Assert.Equal(first, owner.At);
        Assert.Contains("has 6.00 EUR", await ActAsync(owner, "look", code, ""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_platform_refuses_is_said_in_words_and_nothing_happens()
    {
        using var owner = await Browser.SignedInAsync(stack, "olga", home: Shop);
        var code = await SellAsync(owner, "10");
        var page = await owner.PageAsync(Till);

        using var tooMuch = await owner.SubmitAsync(
            page,
            Till,
            ("code", code),
            ("amount", "11"),
            ("currency", "EUR"),
            ("act", "redeem")
        );
        Assert.Contains("insufficient_balance", await tooMuch.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var nonsense = await owner.SubmitAsync(
            page,
            Till,
            ("code", code),
            ("amount", "1,234.56"),
            ("currency", "EUR"),
            ("act", "redeem")
        );
        Assert.Equal(400, (int)nonsense.StatusCode);
        Assert.Contains(
            "has 10.00 EUR, of which 0.00 EUR are held",
            await ActAsync(owner, "look", code, ""),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_role_of_the_team_decides_what_somebody_sees_and_does()
    {
        using var accountant = await Browser.SignedInAsync(stack, "anna", home: Shop);
        Assert.Contains(
            "Your role does not allow this",
            await accountant.PageAsync($"{Shop}/keys"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "What holders still have",
            await accountant.PageAsync($"{Shop}/reports"),
            StringComparison.Ordinal
        );
        var page = await accountant.PageAsync(Till);
        using var refused = await accountant.SubmitAsync(
            page,
            Till,
            ("code", "ABCD"),
            ("amount", "1"),
            ("currency", "EUR"),
            ("act", "redeem")
        );
        Assert.Equal(403, (int)refused.StatusCode);

        using var stranger = await Browser.SignedInAsync(stack, "vera");
        Assert.Contains("Trouble".ToLowerInvariant(), await stranger.PageAsync(Shop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_places_people_and_webhooks_are_made_and_ended()
    {
        using var owner = await Browser.SignedInAsync(stack, "olga", home: Shop);
        var made = await ReadAsync(
            owner.SubmitAsync(
                await owner.PageAsync($"{Shop}/keys"),
                $"{Shop}/keys",
                ("name", "Till by the door"),
                ("purpose", "a till")
            )
        );
        Assert.Matches("lp_test_[0-9a-z_]+", made);
        var keys = await owner.PageAsync($"{Shop}/keys");
        Assert.DoesNotMatch("lp_test_[0-9a-z]+_", keys);
        var key = Key().Matches(keys)[0].Groups[1].Value;
        Assert.Contains(
            "revoked",
            await ReadAsync(owner.SubmitAsync(keys, $"{Shop}/keys/{key}/revoke")),
            StringComparison.Ordinal
        );

        var place = $"Place {Guid.CreateVersion7():N}"[..20];
        var places = await ReadAsync(
            owner.SubmitAsync(
                await owner.PageAsync($"{Shop}/places"),
                $"{Shop}/places",
                ("name", place),
                ("time_zone", "Europe/Paris")
            )
        );
        Assert.Contains(place, places, StringComparison.Ordinal);
        var location = Location().Match(places).Groups[1].Value;
        var tills = await ReadAsync(owner.SubmitAsync(places, $"{Shop}/places/{location}/tills", ("name", "Till one")));
        Assert.Contains("Till one", tills, StringComparison.Ordinal);

        var subject = $"nobody-{Guid.CreateVersion7():N}";
        var team = await ReadAsync(
            owner.SubmitAsync(
                await owner.PageAsync($"{Shop}/team"),
                $"{Shop}/team",
                ("name", "Nora New"),
                ("subject", subject),
                ("role", "cashier")
            )
        );
        var member = Member().Match(team[team.IndexOf(subject, StringComparison.Ordinal)..]).Groups[1].Value;
        var without = await ReadAsync(owner.SubmitAsync(team, $"{Shop}/team/{member}/remove"));
        Assert.DoesNotContain(subject, without, StringComparison.Ordinal);

        var hooked = await ReadAsync(
            owner.SubmitAsync(
                await owner.PageAsync($"{Shop}/webhooks"),
                $"{Shop}/webhooks",
                ("url", "https://93.184.215.14/hook"),
                ("description", "our shop")
            )
        );
        Assert.Contains("whsec_", hooked, StringComparison.Ordinal);
        Assert.Contains("93.184.215.14/hook", await owner.PageAsync($"{Shop}/webhooks"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shop_writes_its_own_words_looks_at_them_tries_them_and_goes_back()
    {
        const string at = $"{Shop}/templates/redemption_completed/fr";
        using var owner = await Browser.SignedInAsync(stack, "olga", home: Shop);
        Assert.Contains(at, await owner.PageAsync($"{Shop}/templates"), StringComparison.Ordinal);
        var editor = await owner.PageAsync(at);
        (string, string)[] words =
        [
            ("subject", "Merci {{ name }}"),
            ("html", "<html><body><p>Merci pour {{ amount }}</p></body></html>"),
            ("text", "Merci pour\r\n{{ amount }}"),
            ("sms", "Merci"),
        ];

        var preview = await ReadAsync(owner.SubmitAsync(editor, at, [.. words, ("act", "preview")]));
        Assert.Contains("<dd>Merci Anna</dd>", preview, StringComparison.Ordinal);
        Assert.Contains("50,00 EUR", preview, StringComparison.Ordinal);
        using (var mail = await owner.SubmitAsync(editor, at, [.. words, ("act", "mail")]))
        {
            Assert.StartsWith(
                "sandbox; default-src 'none'",
                mail.Headers.GetValues("Content-Security-Policy").Single(),
                StringComparison.Ordinal
            );
            Assert.Contains(
                "<p>Merci pour 50,00 EUR</p>",
                await mail.Content.ReadAsStringAsync(),
                StringComparison.Ordinal
            );
        }

        using var wrong = await owner.SubmitAsync(
            editor,
            at,
            [("subject", "{{ nobody }}"), .. words[1..], ("act", "save")]
        );
        var refused = await wrong.Content.ReadAsStringAsync();
        Assert.Equal(422, (int)wrong.StatusCode);
        Assert.Contains("/subject", refused, StringComparison.Ordinal);
        Assert.Contains("{{ nobody }}", refused, StringComparison.Ordinal);

        var saved = await ReadAsync(owner.SubmitAsync(editor, at, [.. words, ("act", "save")]));
        Assert.Contains("These are your words.", saved, StringComparison.Ordinal);
        using var late = await owner.SubmitAsync(editor, at, [.. words, ("act", "save")]);
        Assert.Equal(412, (int)late.StatusCode);
        var sent = await ReadAsync(owner.SubmitAsync(saved, $"{at}/test", ("to", "contact")));
        Assert.Contains("The test is on its way.", sent, StringComparison.Ordinal);
        var back = await ReadAsync(owner.SubmitAsync(sent, $"{at}/reset"));
        Assert.Contains("These are our words", back, StringComparison.Ordinal);

        using var cashier = await Browser.SignedInAsync(stack, "carl", home: Shop);
        Assert.Contains(
            "Your role does not allow this",
            await cashier.PageAsync($"{Shop}/templates"),
            StringComparison.Ordinal
        );
    }

    private static async Task<string> SellAsync(Browser owner, string amount)
    {
        var page = await owner.PageAsync($"{Shop}/cards");
        var program = Program().Match(page).Groups[1].Value;
        var sold = await ReadAsync(
            owner.SubmitAsync(page, $"{Shop}/cards", ("program", program), ("amount", amount), ("email", ""))
        );
        return WebUtility.HtmlDecode(Code().Match(sold).Groups[1].Value);
    }

    private static async Task<string> ActAsync(Browser at, string act, string code, string amount) =>
        await ReadAsync(
            at.SubmitAsync(
                await at.PageAsync(Till),
                Till,
                ("code", code),
                ("amount", amount),
                ("currency", "EUR"),
                ("act", act)
            )
        );

    private static async Task<string> ReadAsync(Task<HttpResponseMessage> asked)
    {
        using var answer = await asked;
        var page = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, page);
        return page;
    }

    [GeneratedRegex("""<dt>Code</dt><dd><code>([^<]+)</code>""")]
    private static partial Regex Code();

    [GeneratedRegex("rdm_[0-9a-z]{26}")]
    private static partial Regex Id();

    [GeneratedRegex("""<option value="(prg_[0-9a-z]+)">""")]
    private static partial Regex Program();

    [GeneratedRegex("""/keys/([^/"]+)/revoke""")]
    private static partial Regex Key();

    [GeneratedRegex("""/places/(loc_[0-9a-z]+)/tills" class""")]
    private static partial Regex Location();

    [GeneratedRegex("""/team/([^/"]+)/remove""")]
    private static partial Regex Member();
}
