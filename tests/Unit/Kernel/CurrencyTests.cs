using LocalPlus.Kernel;

namespace LocalPlus.Tests.Unit.Kernel;

public sealed class CurrencyTests
{
    [Theory]
    [InlineData("EUR", 2, 50_000)]
    [InlineData("JPY", 0, 500)]
    [InlineData("UYI", 0, 500)]
    [InlineData("KWD", 3, 500_000)]
    [InlineData("CLF", 4, 5_000_000)]
    [InlineData("UYW", 4, 5_000_000)]
    public void Fault_25_A_currency_has_the_decimals_of_ISO_4217(string code, int exponent, long fiveHundred)
    {
        var currency = Currency.Parse(code);

        Assert.Equal((exponent, fiveHundred), (currency.Exponent, currency.Units(500)));
    }

    [Theory]
    [InlineData("ZZZ")]
    [InlineData("XXX")]
    [InlineData("XTS")]
    [InlineData("XAU")]
    [InlineData("HRK")]
    [InlineData("ZWL")]
    [InlineData("eur")]
    [InlineData("EURO")]
    [InlineData("")]
    [InlineData(null)]
    public void Fault_25_A_code_that_is_no_currency_to_hold_value_in_is_refused(string? code) =>
        Assert.False(Currency.TryParse(code, out _));

    [Fact]
    public void Fault_25_The_list_is_whole()
    {
        Assert.Equal(165, Currency.Codes.Count());
        Assert.Equal(Currency.Codes, Currency.Codes.Distinct());
        Assert.All(Currency.Codes, code => Assert.InRange(Currency.Parse(code).Exponent, 0, 4));
    }

    [Fact]
    public void A_default_currency_is_none() =>
        Assert.Equal(("XXX", 0), (default(Currency).Code, default(Currency).Exponent));
}
