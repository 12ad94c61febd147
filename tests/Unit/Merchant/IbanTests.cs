using System.Security.Cryptography;
using LocalPlus.Kernel;
using LocalPlus.Merchant.Details;

namespace LocalPlus.Tests.Unit.Merchant;

public sealed class IbanTests
{
    [Theory]
    [InlineData("FR14 2004 1010 0505 0001 3M02 606", "FR••2606")]
    [InlineData("DE89370400440532013000", "DE••3000")]
    [InlineData("gb29 nwbk 6016 1331 9268 19", "GB••6819")]
    public void An_account_that_adds_up_is_taken_and_shown_masked(string text, string masked)
    {
        Assert.True(Iban.TryParse(text, out var iban));
        Assert.Equal(masked, iban.Masked);
        Assert.Equal(masked, iban.ToString());
    }

    [Theory]
    [InlineData("FR1420041010050500013M02607")]
    [InlineData("DE8937040044053201300")]
    [InlineData("DE893704004405320130000")]
    [InlineData("XX89370400440532013000")]
    [InlineData("DE٨٩370400440532013000")]
    [InlineData("")]
    [InlineData(null)]
    public void What_does_not_is_refused(string? text) => Assert.False(Iban.TryParse(text, out _));

    [Fact]
    public void A_sealed_account_opens_for_its_merchant_alone()
    {
        var seal = new IbanSeal(new string('p', 40));
        var (owner, other) = (MerchantId.New(TimeProvider.System), MerchantId.New(TimeProvider.System));
        Assert.True(Iban.TryParse("DE89370400440532013000", out var iban));

        var box = seal.Seal(owner, iban);

        Assert.NotEqual(box, seal.Seal(owner, iban));
        Assert.Equal(iban.Text, seal.Open(owner, box));
        Assert.Throws<AuthenticationTagMismatchException>(() => seal.Open(other, box));
        Assert.Throws<AuthenticationTagMismatchException>(() => new IbanSeal(new string('q', 40)).Open(owner, box));
    }
}
