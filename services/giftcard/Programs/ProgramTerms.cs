using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Programs;

/// <summary>What a programme allows. Pure.</summary>
internal static class ProgramTerms
{
    public static void CheckSale(ProgramRow program, Money? amount)
    {
        var (about, terms, _) = program;
        if (about.Status != "active")
        {
            throw new FaultException(Faults.ProgramState, "The programme is closed.");
        }

        if (amount is not { } value)
        {
            return;
        }

        if (value.Currency.Code != about.Currency)
        {
            throw new FaultException(Faults.CurrencyMismatch, $"The programme's cards are in {about.Currency}.");
        }

        if (value.MinorUnits < terms.MinLoad || value.MinorUnits > terms.MaxLoad)
        {
            throw new FaultException(
                Faults.LimitExceeded,
                $"The programme allows {terms.MinLoad} to {terms.MaxLoad} {about.Currency} at once."
            );
        }
    }

    /// <param name="before">What is on the card, held value included.</param>
    /// <param name="isRefund">Value of another tender that comes back: no reload, and as much as it was.</param>
    public static void CheckLoad(ProgramRow program, Money amount, long before, bool isRefund = false)
    {
        var (about, terms, _) = program;
        if (!terms.Reloadable && !isRefund)
        {
            throw new FaultException(Faults.ProgramState, "The programme's cards are not reloadable.");
        }

        if (!isRefund)
        {
            CheckSale(program, amount);
        }
        else if (amount.Currency.Code != about.Currency)
        {
            throw new FaultException(Faults.CurrencyMismatch, $"The programme's cards are in {about.Currency}.");
        }

        if (before + amount.MinorUnits > terms.MaxBalance)
        {
            throw new FaultException(
                Faults.LimitExceeded,
                $"The programme allows {terms.MaxBalance} {about.Currency} on a card; {before} are on it."
            );
        }
    }
}
