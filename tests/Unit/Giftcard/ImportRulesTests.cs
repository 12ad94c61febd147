using System.Text;
using LocalPlus.Giftcard.Imports;
using LocalPlus.Kernel;

namespace LocalPlus.Tests.Unit.Giftcard;

/// <summary>What of a file is a card, in the layouts that shops export and in the words of merchants.</summary>
public sealed class ImportRulesTests
{
    private const string Strong = "K7QW9ZX2MB4T";
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_file_in_the_columns_of_Shopify_is_read()
    {
        const string file =
            "Id,Gift Card Code,Last Characters,Customer Name,Email,Order Name,Created At,Expires On,"
            + "Initial Value,Balance,Currency,Enabled,Disabled At\n"
            + "451,k7qw-9zx2-mb4t-11aa,11aa,Ada Lovelace,ada@example.com,#1001,2025-05-01 10:00:00 UTC,2027-05-01,"
            + "50.00,12.50,EUR,true,\n"
            + "452,k7qw-9zx2-mb4t-22bb,22bb,,,,2025-05-02 10:00:00 UTC,,20.00,20.00,EUR,false,2025-06-01\n";
        var rows = Read(file);
        Assert.Equal(
            ("K7QW9ZX2MB4T11AA", 1250L, "ada@example.com", "Ada Lovelace", null),
            (rows[0].Code, rows[0].Amount, rows[0].Email, rows[0].Name, rows[0].Fault)
        );
        Assert.Equal(new DateTimeOffset(2027, 5, 2, 0, 0, 0, TimeSpan.Zero), rows[0].ExpiresAt);
        Assert.Equal(RowFault.NotActive, rows[1].Fault);
    }

    [Fact]
    public void A_file_in_the_columns_of_Square_is_read()
    {
        const string file = """
            Gift Card Number,State,Balance,Date Activated,Customer
            7783 3200 0138 0049,Active,€25.00,2025-01-03,
            7783 3200 7712 5513,Deactivated,€0.00,2025-01-04,
            """;
        var rows = Read(file);
        Assert.Equal(("7783320001380049", 2500L, null), (rows[0].Code, rows[0].Amount, rows[0].Fault));
        Assert.Equal(RowFault.NotActive, rows[1].Fault);
    }

    [Fact]
    public void A_file_in_the_columns_of_WooCommerce_is_read()
    {
        const string file =
            "ID;Code;Recipient;Balance;Remaining;Expires;Status\r\n"
            + "9;ABCD-EFGH-1234-WXYZ;\"grace@example.com\";30,00;17,5;2027-01-31 00:00:00;active\r\n"
            + "10;ABCD-EFGH-5678-VWST;;30,00;0;;active\r\n";
        var rows = Read(file, new() { ["balance"] = "Remaining" });
        Assert.Equal(
            ("ABCDEFGH1234WXYZ", 1750L, "grace@example.com", null),
            (rows[0].Code, rows[0].Amount, rows[0].Email, rows[0].Fault)
        );
        Assert.Equal(new DateTimeOffset(2027, 1, 31, 0, 0, 0, TimeSpan.Zero), rows[0].ExpiresAt);
        Assert.Equal(RowFault.NothingOnIt, rows[1].Fault);
    }

    [Fact]
    public void Lines_of_JSON_have_the_fields_own_names()
    {
        var rows = ImportParser.Read(
            Encoding.UTF8.GetBytes($$"""{"code":"{{Strong}}","balance":1234,"pin":null}""" + "\n\n{\"code\":\"1\"}\n"),
            isCsv: false,
            null
        );
        Assert.Equal([new ImportText(1, Strong, Balance: "1234"), new ImportText(3, "1")], rows);
        Assert.Throws<FaultException>(() =>
            ImportParser.Read("""{"code":"1","amount":5}"""u8.ToArray(), isCsv: false, null)
        );
        Assert.Throws<FaultException>(() => ImportParser.Read("[1]"u8.ToArray(), isCsv: false, null));
    }

    [Theory]
    [InlineData("serial,worth\n1,2\n")]
    [InlineData("code,balance\n")]
    [InlineData("")]
    public void A_part_that_is_no_file_of_cards_is_refused_as_a_whole(string file) =>
        Assert.Equal(
            CommonFaults.InvalidRequest,
            Assert
                .Throws<FaultException>(() => ImportParser.Read(Encoding.UTF8.GetBytes(file), isCsv: true, null))
                .Fault
        );

    [Theory]
    [InlineData("12.50", 1250L)]
    [InlineData("12,5", 1250L)]
    [InlineData("$12", 1200L)]
    [InlineData("12 €", 1200L)]
    [InlineData("1,000", null)]
    [InlineData("1.000", null)]
    [InlineData("12.505", null)]
    [InlineData("-1.00", null)]
    [InlineData("1e3", null)]
    [InlineData("", null)]
    public void An_amount_is_read_one_way_or_not_at_all(string written, long? amount)
    {
        var line = Line(new(2, Strong, Balance: written.Length == 0 ? null : written));
        Assert.Equal((amount, amount is null ? RowFault.BalanceInvalid : null), (line.Amount, line.Fault));
    }

    [Fact]
    public void Minor_units_are_whole_numbers()
    {
        Assert.Equal(1250, Line(new(2, Strong, Balance: "1250"), isMajor: false).Amount);
        Assert.Equal(RowFault.BalanceInvalid, Line(new(2, Strong, Balance: "12.50"), isMajor: false).Fault);
        Assert.Equal(
            RowFault.BalanceInvalid,
            Line(new(2, Strong, Balance: "99999999999999999999"), isMajor: false).Fault
        );
    }

    [Theory]
    [InlineData("code", "1234567", RowFault.CodeInvalid)]
    [InlineData("code", "K7QW9ZX2MB4TK7QW9ZX2MB4TK7QW9ZX2MB4T", RowFault.CodeInvalid)]
    [InlineData("code", "K7QW9ZX2MB4é", RowFault.CodeInvalid)]
    [InlineData("currency", "USD", RowFault.CurrencyMismatch)]
    [InlineData("balance", "5000.01", RowFault.LimitExceeded)]
    [InlineData("expires_at", "31/12/2027", RowFault.ExpiresAtInvalid)]
    [InlineData("expires_at", "2026-11-29", RowFault.Expired)]
    [InlineData("pin", "12a4", RowFault.PinInvalid)]
    [InlineData("email", "ada@", RowFault.EmailInvalid)]
    [InlineData("state", "voided", RowFault.NotActive)]
    public void A_row_says_what_is_wrong_with_it(string field, string value, string fault)
    {
        var good = new ImportText(2, Strong, Balance: "10");
        Assert.Null(Line(good).Fault);
        var bad = field switch
        {
            "code" => good with { Code = value },
            "currency" => good with { Currency = value },
            "balance" => good with { Balance = value },
            "expires_at" => good with { ExpiresAt = value },
            "pin" => good with { Pin = value },
            "email" => good with { Email = value },
            _ => good with { State = value },
        };
        Assert.Equal(fault, Line(bad).Fault);
    }

    [Fact]
    public void A_code_that_can_be_guessed_needs_a_PIN_or_has_little_on_it()
    {
        var weak = new ImportText(2, "12345678", Balance: "50.01");
        Assert.Equal(RowFault.WeakCode, Line(weak).Fault);
        Assert.Null(Line(weak with { Pin = "4711" }).Fault);
        var little = Line(weak with { Balance = "50.00" });
        Assert.Equal((null, true), (little.Fault, little.IsWeak));
        Assert.False(Line(weak with { Pin = "4711" }).IsWeak);
    }

    [Fact]
    public void Codes_that_were_counted_up_are_weak_however_long_they_are()
    {
        Assert.True(CodeStrength.IsWeak("7783320001380050", "7783320001380049"));
        Assert.False(CodeStrength.IsWeak("7783320001380050", "7783320077125513"));
        Assert.False(CodeStrength.IsWeak("7783320001380050", null));
        Assert.True(CodeStrength.IsWeak("ABCD23456", null));
    }

    [Fact]
    public void A_programme_that_wants_PINs_has_no_cards_without()
    {
        var terms = new ImportTerms(Currency.Eur, 500_000, NeedsPin: true, IsMajor: true, Now);
        Assert.Equal(RowFault.PinMissing, ImportRules.Read(new(2, Strong, Balance: "10"), terms, null).Fault);
    }

    private static ImportLine Line(ImportText text, bool isMajor = true) =>
        ImportRules.Read(text, new(Currency.Eur, 500_000, NeedsPin: false, isMajor, Now), null);

    private static ImportLine[] Read(string file, Dictionary<string, string>? columns = null) =>
        [.. ImportParser.Read(Encoding.UTF8.GetBytes(file), isCsv: true, columns).Select(row => Line(row))];
}
