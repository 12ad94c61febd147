using LocalPlus.Merchant.Details;

namespace LocalPlus.Tests.Unit.Merchant;

public sealed class VatIdTests
{
    /// <summary>Numbers that the tax administrations or their companies publish.</summary>
    [Theory]
    [InlineData("AT", "ATU13585627")]
    [InlineData("BE", "BE 0428.759.497")]
    [InlineData("BG", "BG175074752")]
    [InlineData("CH", "CHE-107.787.577 IVA")]
    [InlineData("CY", "CY10259033P")]
    [InlineData("CZ", "CZ25123891")]
    [InlineData("DE", "DE136695976")]
    [InlineData("DK", "DK13585628")]
    [InlineData("EE", "EE100931558")]
    [InlineData("ES", "ESA13585625")]
    [InlineData("ES", "ES54362315K")]
    [InlineData("ES", "ESX5253868R")]
    [InlineData("FI", "FI20774740")]
    [InlineData("FR", "FR 40 303 265 045")]
    [InlineData("GB", "GB980780684")]
    [InlineData("GR", "EL094259216")]
    [InlineData("HR", "HR33392005961")]
    [InlineData("HU", "HU12892312")]
    [InlineData("IE", "IE6433435F")]
    [InlineData("IE", "IE6433435OA")]
    [InlineData("IE", "IE8D79739I")]
    [InlineData("IT", "IT00743110157")]
    [InlineData("LT", "LT119511515")]
    [InlineData("LU", "LU15027442")]
    [InlineData("LV", "LV40003521600")]
    [InlineData("MC", "FR40303265045")]
    [InlineData("MT", "MT11679112")]
    [InlineData("NL", "NL004495445B01")]
    [InlineData("NL", "NL002455799B11")]
    [InlineData("PL", "PL8567346215")]
    [InlineData("PT", "PT501964843")]
    [InlineData("RO", "RO18547290")]
    [InlineData("SE", "SE123456789701")]
    [InlineData("SI", "SI50223054")]
    [InlineData("SK", "SK2022749619")]
    public void A_number_that_is_published_is_taken_and_one_digit_off_is_not(string country, string text)
    {
        Assert.True(VatId.TryParse(text, country, out var vatId), text);
        Assert.DoesNotContain(' ', vatId);

        // The digit before the last is in every country's sum.
        var at = vatId.Length - 2;
        while (!char.IsAsciiDigit(vatId[at]) || (country is "SE" or "NL" && at > vatId.Length - 5))
        {
            at--;
        }

        var wrong = $"{vatId[..at]}{(vatId[at] - '0' + 1) % 10}{vatId[(at + 1)..]}";
        Assert.False(VatId.TryParse(wrong, country, out _), wrong);
    }

    [Theory]
    [InlineData("FR", "DE136695976")]
    [InlineData("FR", "303265045")]
    [InlineData("FR", "")]
    [InlineData("FR", null)]
    [InlineData("FR", "FR4030326504٣")]
    [InlineData("US", "US123456789")]
    [InlineData("DE", "DE136695976\n")]
    public void What_is_not_the_country_s_is_refused(string country, string? text) =>
        Assert.False(VatId.TryParse(text, country, out _));
}
