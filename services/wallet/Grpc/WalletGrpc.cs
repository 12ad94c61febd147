using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LocalPlus.Contracts.Wallet.V1;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Balances;

namespace LocalPlus.Wallet.Grpc;

/// <summary>Wallets for other services: the same answers and codes as over REST.</summary>
internal sealed class WalletGrpc(WalletReader wallets) : WalletService.WalletServiceBase
{
    public override async Task<GetWalletResponse> GetWallet(GetWalletRequest request, ServerCallContext context)
    {
        try
        {
            var wallet = await wallets.GetAsync(
                Id<MerchantId>(request.MerchantId, "/merchant_id"),
                Id<CustomerId>(request.CustomerId, "/customer_id"),
                context.CancellationToken
            );
            return new GetWalletResponse { Wallet = Message(wallet) };
        }
        catch (Exception exception)
            when (exception is not RpcException && !context.CancellationToken.IsCancellationRequested)
        {
            throw exception.ToRpcException();
        }
    }

    private static TId Id<TId>(string text, string pointer)
        where TId : struct, IId<TId> =>
        Ids.TryParse<TId>(text, out var id) ? id : throw Faults.Invalid(pointer, $"It is no {TId.Prefix}_ id.");

    private static Contracts.Wallet.V1.Wallet Message(WalletView view)
    {
        var message = new Contracts.Wallet.V1.Wallet
        {
            WalletId = view.Id.ToString(),
            CustomerId = view.CustomerId.ToString(),
            HasMore = view.HasMore,
        };
        message.Balances.AddRange(view.Balances.Select(Message));
        message.GiftCards.AddRange(
            view.GiftCards.Select(card => new WalletCard
            {
                GiftCardId = card.GiftCardId.ToString(),
                ProgramId = card.ProgramId.ToString(),
                Last4 = card.Last4,
                Status = card.Status,
                Balance = Message(card.Balance),
                Held = Message(card.Held),
                Available = Message(card.Available),
                UpdatedAt = Timestamp.FromDateTimeOffset(card.UpdatedAt),
            })
        );
        message.Totals.AddRange(
            view.Totals.Select(total => new WalletTotal
            {
                Currency = total.Currency.Code,
                Posted = total.Posted,
                Held = total.Held,
                Available = total.Available,
            })
        );
        message.Memberships.AddRange(view.Memberships.Select(Message));
        return message;
    }

    private static Membership Message(MembershipView view)
    {
        var message = new Membership
        {
            MemberId = view.MemberId.ToString(),
            ProgramId = view.ProgramId.ToString(),
            Program = view.Program,
            Tier = view.Tier ?? "",
            Posted = view.Posted,
            Held = view.Held,
            Available = view.Available,
            Pending = view.Pending,
            Owed = view.Owed,
            Value = Message(view.Value),
        };
        message.Expiring.AddRange(
            view.Expiring.Select(e => new ExpiringPoints { WithinDays = e.WithinDays, Points = e.Points })
        );
        return message;
    }

    private static Contracts.Common.V1.Money Message(Kernel.Money money) =>
        new() { Amount = money.MinorUnits, Currency = money.Currency.Code };
}
