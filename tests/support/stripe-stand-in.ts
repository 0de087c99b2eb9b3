import { createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';

/** What the product's SDK is pinned to: a stand-in of another version would prove nothing. */
const API_VERSION: string = Stripe.API_VERSION;

/**
 * A server that speaks Stripe's API as far as the product asks it: objects by id, `expand[]`, lists with paging, form
 * bodies with brackets, idempotency keys, Stripe's errors, and signed notices. Object shapes are checked against the SDK's
 * own types, so they follow the version that the product is pinned to.
 */
export interface StripeStandIn {
  url: string;
  secretKey: string;
  webhookSecret: string;
  /** Every request it answered, as `GET /v1/charges/ch_1`. */
  requests: string[];
  /** What Stripe has to tell, oldest first; a test delivers it in whatever order it likes. */
  notices: SignedNotice[];

  sells(price: NewPrice): Stripe.Price;
  /** A buyer pays, through a Payment Link or a session opened elsewhere. */
  buys(order: NewOrder): Bought;
  /** A buyer pays a session that was opened through the API. */
  pays(sessionId: string, buyer: { email: string; name?: string; quantity?: number }): Bought;
  /** The money of an asynchronous payment arrives. */
  settlesPayment(sessionId: string): void;
  refunds(refund: NewRefund): Stripe.Refund;
  refundBecomes(refundId: string, status: string): void;
  disputes(dispute: { chargeId: string; amountMinor?: number; status?: Stripe.Dispute['status'] }): Stripe.Dispute;
  disputeBecomes(disputeId: string, status: Stripe.Dispute['status']): void;
  /** A notice of any type about any object, signed. */
  notice(type: string, object: { id: string }, changes?: { livemode?: boolean; signedAt?: Date }): SignedNotice;

  /** From now on every request fails: with a 503, by a closed connection, or by silence. */
  away(how?: 'unavailable' | 'closed' | 'silent'): void;
  back(): void;
  close(): Promise<void>;
}

export interface SignedNotice {
  id: string;
  type: string;
  body: Buffer;
  signature: string;
}

export interface NewPrice {
  id?: string;
  name: string;
  amountMinor: number;
  currency?: string;
  productMetadata?: Record<string, string>;
}

export interface NewOrder {
  email: string | null;
  name?: string;
  lines: { price: Stripe.Price; quantity?: number; discountMinor?: number }[];
  paymentStatus?: 'paid' | 'unpaid' | 'no_payment_required';
  mode?: 'payment' | 'subscription';
}

export interface NewRefund {
  chargeId: string;
  /** All that is left, if not given. */
  amountMinor?: number;
  status?: string;
  metadata?: Record<string, string>;
}

export interface Bought {
  session: Stripe.Checkout.Session;
  /** Empty where nothing was charged. */
  paymentIntentId: string;
  chargeId: string;
}

type StripeObject = { id: string; object: string };
type Form = { [key: string]: string | Form };

/** What may be expanded in each object, as documented; anything else is Stripe's error. */
const EXPANDABLE: Record<string, string[]> = {
  'checkout.session': ['customer', 'payment_intent', 'invoice', 'subscription', 'line_items', 'setup_intent'],
  item: ['price'],
  price: ['product'],
  charge: ['customer', 'payment_intent', 'balance_transaction'],
  payment_intent: ['customer', 'latest_charge'],
  refund: ['charge', 'payment_intent', 'balance_transaction'],
  dispute: ['charge', 'payment_intent'],
  invoice: ['customer', 'payments'],
  invoice_payment: ['invoice'],
};

const SESSION_PARAMS = new Set(
  'adaptive_pricing after_expiration allow_promotion_codes allowed_payment_method_types automatic_tax billing_address_collection branding_settings cancel_url client_reference_id consent_collection currency custom_fields custom_text customer customer_account customer_creation customer_email customer_update discounts excluded_payment_method_types expand expires_at integration_identifier invoice_creation line_items locale managed_payments metadata mode name_collection optional_items origin_context payment_intent_data payment_method_collection payment_method_configuration payment_method_data payment_method_options permissions phone_number_collection redirect_on_completion return_url saved_payment_method_options setup_intent_data shipping_address_collection shipping_options submit_type subscription_data success_url tax_id_collection ui_mode wallet_options'.split(
    ' ',
  ),
);

class StripeRefusal extends Error {
  constructor(
    readonly status: number,
    readonly error: { type: string; code?: string; message: string; param?: string },
  ) {
    super(error.message);
  }
}

export async function aStripe({ now = () => new Date() }: { now?: () => Date } = {}): Promise<StripeStandIn> {
  const secretKey = `sk_test_${randomBytes(12).toString('hex')}`;
  const webhookSecret = `whsec_${randomBytes(16).toString('hex')}`;
  const objects = new Map<string, StripeObject>();
  const lines = new Map<string, Stripe.LineItem[]>();
  const answersByKey = new Map<string, { asked: string; status: number; answer: object }>();
  const requests: string[] = [];
  const notices: SignedNotice[] = [];
  let absent: 'unavailable' | 'closed' | 'silent' | null = null;

  const seconds = () => Math.floor(now().getTime() / 1_000);
  const put = <T extends StripeObject>(object: T): T => {
    objects.set(object.id, object);
    return object;
  };
  const get = <T extends StripeObject>(id: string) => objects.get(id) as T | undefined;
  const must = <T extends StripeObject>(id: string): T => {
    const object = get<T>(id);
    if (!object) throw new Error(`The stand-in has no ${id}.`);
    return object;
  };
  const all = <T extends StripeObject>(kind: T['object']): T[] =>
    [...objects.values()].filter((object) => object.object === kind).reverse() as T[];
  const tell = (type: string, object: { id: string }) => notices.push(notice(type, object));

  function notice(
    type: string,
    object: { id: string },
    { livemode = false, signedAt = new Date() }: { livemode?: boolean; signedAt?: Date } = {},
  ): SignedNotice {
    const id = newId('evt');
    const body = Buffer.from(
      JSON.stringify({
        id,
        object: 'event',
        api_version: API_VERSION,
        created: seconds(),
        data: { object },
        livemode,
        pending_webhooks: 1,
        request: { id: null, idempotency_key: null },
        type,
      }),
    );
    const at = Math.floor(signedAt.getTime() / 1_000);
    const mac = createHmac('sha256', webhookSecret).update(`${at}.`).update(body).digest('hex');
    return { id, type, body, signature: `t=${at},v1=${mac}` };
  }

  function sells({ id, name, amountMinor, currency = 'eur', productMetadata = {} }: NewPrice): Stripe.Price {
    const product: Stripe.Product = {
      id: newId('prod'),
      object: 'product',
      active: true,
      created: seconds(),
      description: null,
      images: [],
      livemode: false,
      marketing_features: [],
      metadata: productMetadata,
      name,
      package_dimensions: null,
      shippable: null,
      tax_details: null,
      type: 'service',
      updated: seconds(),
      url: null,
    };
    put(product);
    return put<Stripe.Price>({
      id: id ?? newId('price'),
      object: 'price',
      active: true,
      billing_scheme: 'per_unit',
      created: seconds(),
      currency,
      custom_unit_amount: null,
      livemode: false,
      lookup_key: null,
      metadata: {},
      nickname: null,
      product: product.id,
      recurring: null,
      tax_behavior: 'unspecified',
      tiers_mode: null,
      transform_quantity: null,
      type: 'one_time',
      unit_amount: amountMinor,
      unit_amount_decimal: null,
    });
  }

  function openSession(order: {
    lines: NewOrder['lines'];
    mode: 'payment' | 'subscription';
    email: string | null;
    metadata: Record<string, string>;
    invoiceCreation: boolean;
    successUrl: string | null;
    cancelUrl: string | null;
  }): Stripe.Checkout.Session {
    const id = newId('cs_test');
    const items = order.lines.map(({ price, quantity = 1, discountMinor = 0 }): Stripe.LineItem => {
      const subtotal = (price.unit_amount ?? 0) * quantity;
      return {
        id: newId('li'),
        object: 'item',
        adjustable_quantity: null,
        amount_discount: discountMinor,
        amount_subtotal: subtotal,
        amount_tax: 0,
        amount_total: subtotal - discountMinor,
        currency: price.currency,
        description: get<Stripe.Product>(price.product as string)?.name ?? null,
        metadata: null,
        price,
        quantity,
      };
    });
    lines.set(id, items);
    return put<Stripe.Checkout.Session>({
      id,
      object: 'checkout.session',
      adaptive_pricing: { enabled: false },
      after_expiration: null,
      allow_promotion_codes: null,
      allowed_payment_method_types: null,
      amount_subtotal: items.reduce((sum, item) => sum + item.amount_subtotal, 0),
      amount_total: items.reduce((sum, item) => sum + item.amount_total, 0),
      automatic_tax: { enabled: false, liability: null, provider: null, status: null },
      billing_address_collection: null,
      cancel_url: order.cancelUrl,
      client_reference_id: null,
      client_secret: null,
      collected_information: null,
      consent: null,
      consent_collection: null,
      created: seconds(),
      currency: items[0]?.currency ?? null,
      currency_conversion: null,
      custom_fields: [],
      custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
      customer: null,
      customer_account: null,
      customer_creation: order.mode === 'payment' ? 'always' : null,
      customer_details: null,
      customer_email: order.email,
      discounts: [],
      expires_at: seconds() + 86_400,
      integration_identifier: null,
      invoice: null,
      invoice_creation:
        order.mode === 'payment'
          ? {
              enabled: order.invoiceCreation,
              invoice_data: {
                account_tax_ids: null,
                custom_fields: null,
                description: null,
                footer: null,
                issuer: null,
                metadata: {},
                rendering_options: null,
              },
            }
          : null,
      livemode: false,
      locale: null,
      managed_payments: null,
      metadata: order.metadata,
      mode: order.mode,
      origin_context: null,
      payment_intent: null,
      payment_link: null,
      payment_method_collection: 'if_required',
      payment_method_configuration_details: null,
      payment_method_options: null,
      payment_method_types: ['card'],
      payment_status: 'unpaid',
      permissions: null,
      recovered_from: null,
      saved_payment_method_options: null,
      setup_intent: null,
      shipping_address_collection: null,
      shipping_cost: null,
      shipping_options: [],
      status: 'open',
      submit_type: null,
      subscription: null,
      success_url: order.successUrl,
      total_details: {
        amount_discount: items.reduce((sum, item) => sum + item.amount_discount, 0),
        amount_shipping: 0,
        amount_tax: 0,
      },
      ui_mode: null,
      url: `https://checkout.example/c/pay/${id}`,
      wallet_options: null,
    });
  }

  function complete(
    session: Stripe.Checkout.Session,
    buyer: { email: string | null; name?: string },
    paymentStatus: 'paid' | 'unpaid' | 'no_payment_required',
  ): Bought {
    const free = paymentStatus === 'no_payment_required';
    const customer = newId('cus');
    const intent = free ? null : charge(session, customer, paymentStatus);
    session.status = 'complete';
    session.payment_status = paymentStatus;
    session.customer = customer;
    session.url = null;
    session.customer_details = {
      address: null,
      business_name: null,
      email: buyer.email,
      individual_name: null,
      name: buyer.name ?? null,
      phone: null,
      tax_exempt: 'none',
      tax_ids: [],
    };
    const chargeId = (intent?.latest_charge as string | null) ?? '';
    if (session.mode === 'subscription' && intent) beginSubscription(session, customer, intent);
    else session.payment_intent = intent?.id ?? null;
    tell('checkout.session.completed', session);
    return { session, paymentIntentId: intent?.id ?? '', chargeId };
  }

  function charge(
    session: Stripe.Checkout.Session,
    customer: string,
    paymentStatus: 'paid' | 'unpaid',
  ): Stripe.PaymentIntent {
    const amount = session.amount_total ?? 0;
    const currency = session.currency ?? 'eur';
    const paid = paymentStatus === 'paid';
    const intent = put<Stripe.PaymentIntent>({
      id: newId('pi'),
      object: 'payment_intent',
      allowed_payment_method_types: null,
      amount,
      amount_capturable: 0,
      amount_received: paid ? amount : 0,
      application: null,
      application_fee_amount: null,
      automatic_payment_methods: null,
      canceled_at: null,
      cancellation_reason: null,
      capture_method: 'automatic_async',
      client_secret: null,
      confirmation_method: 'automatic',
      created: seconds(),
      currency,
      customer,
      customer_account: null,
      description: null,
      excluded_payment_method_types: null,
      last_payment_error: null,
      latest_charge: null,
      livemode: false,
      managed_payments: null,
      metadata: {},
      next_action: null,
      on_behalf_of: null,
      payment_method: null,
      payment_method_configuration_details: null,
      payment_method_options: null,
      payment_method_types: ['card'],
      payment_record: null,
      processing: null,
      receipt_email: null,
      review: null,
      setup_future_usage: null,
      shipping: null,
      source: null,
      statement_descriptor: null,
      statement_descriptor_suffix: null,
      status: paid ? 'succeeded' : 'processing',
      transfer_group: null,
    });
    const made = put<Stripe.Charge>({
      id: newId('ch'),
      object: 'charge',
      amount,
      amount_captured: amount,
      amount_refunded: 0,
      application: null,
      application_fee: null,
      application_fee_amount: null,
      balance_transaction: null,
      billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
      calculated_statement_descriptor: null,
      captured: true,
      created: seconds(),
      currency,
      customer,
      description: null,
      disputed: false,
      failure_balance_transaction: null,
      failure_code: null,
      failure_message: null,
      fraud_details: {},
      livemode: false,
      metadata: {},
      on_behalf_of: null,
      outcome: null,
      paid,
      payment_intent: intent.id,
      payment_method: null,
      payment_method_details: null,
      receipt_email: null,
      receipt_number: null,
      receipt_url: null,
      refunded: false,
      review: null,
      shipping: null,
      source: null,
      source_transfer: null,
      statement_descriptor: null,
      statement_descriptor_suffix: null,
      status: paid ? 'succeeded' : 'pending',
      transfer_data: null,
      transfer_group: null,
    });
    intent.latest_charge = made.id;
    return intent;
  }

  /** A session that begins a subscription names an invoice, and only an invoice payment names the payment intent. */
  function beginSubscription(session: Stripe.Checkout.Session, customer: string, intent: Stripe.PaymentIntent): void {
    const subscription = newId('sub');
    const invoice = put({
      id: newId('in'),
      object: 'invoice',
      billing_reason: 'subscription_create',
      customer,
      parent: {
        type: 'subscription_details',
        quote_details: null,
        subscription_details: { metadata: {}, subscription },
      },
    });
    put<Stripe.InvoicePayment>({
      id: newId('inpay'),
      object: 'invoice_payment',
      amount_paid: intent.amount,
      amount_requested: intent.amount,
      created: seconds(),
      currency: intent.currency,
      invoice: invoice.id,
      is_default: true,
      livemode: false,
      payment: { type: 'payment_intent', payment_intent: intent.id },
      status: 'paid',
      status_transitions: { canceled_at: null, paid_at: seconds() },
    });
    session.subscription = subscription;
    session.invoice = invoice.id;
  }

  function refunds({ chargeId, amountMinor, status = 'succeeded', metadata = {} }: NewRefund): Stripe.Refund {
    const of = must<Stripe.Charge>(chargeId);
    const left = of.amount_captured - of.amount_refunded;
    if (left === 0) {
      throw new StripeRefusal(400, {
        type: 'invalid_request_error',
        code: 'charge_already_refunded',
        message: `Charge ${chargeId} has already been refunded.`,
      });
    }
    const amount = amountMinor ?? left;
    if (amount > left) {
      throw new StripeRefusal(400, {
        type: 'invalid_request_error',
        message: `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`,
        param: 'amount',
      });
    }
    const refund = put<Stripe.Refund>({
      id: newId('re'),
      object: 'refund',
      amount,
      balance_transaction: null,
      charge: chargeId,
      created: seconds(),
      currency: of.currency,
      customer: null,
      customer_account: null,
      metadata,
      payment_intent: of.payment_intent,
      payment_method: null,
      reason: null,
      receipt_number: null,
      source_transfer_reversal: null,
      status,
      transfer_reversal: null,
    });
    recount(of);
    tell('refund.created', refund);
    tell('charge.refunded', of);
    return refund;
  }

  function recount(of: Stripe.Charge): void {
    const counted = all<Stripe.Refund>('refund').filter(
      (refund) => refund.charge === of.id && refund.status !== 'failed' && refund.status !== 'canceled',
    );
    of.amount_refunded = counted.reduce((sum, refund) => sum + refund.amount, 0);
    of.refunded = of.amount_refunded === of.amount_captured;
  }

  function createSession(form: Form): Stripe.Checkout.Session {
    for (const name of Object.keys(form)) {
      if (!SESSION_PARAMS.has(name)) {
        throw new StripeRefusal(400, {
          type: 'invalid_request_error',
          code: 'parameter_unknown',
          message: `Received unknown parameter: ${name}`,
          param: name,
        });
      }
    }
    const items = Object.entries((form.line_items ?? {}) as Form).map(([index, item]) => {
      const { price: id, quantity, price_data: data } = item as Form & { price_data?: Form };
      const price = id ? get<Stripe.Price>(String(id)) : data && priceOf(data);
      if (price) return { price, quantity: Number(quantity ?? 1) };
      throw new StripeRefusal(400, {
        type: 'invalid_request_error',
        code: 'resource_missing',
        message: `No such price: '${id}'`,
        param: `line_items[${index}][price]`,
      });
    });
    return openSession({
      lines: items,
      mode: form.mode === 'subscription' ? 'subscription' : 'payment',
      email: (form.customer_email as string | undefined) ?? null,
      metadata: (form.metadata as Record<string, string> | undefined) ?? {},
      invoiceCreation: (form.invoice_creation as Form | undefined)?.enabled === 'true',
      successUrl: (form.success_url as string | undefined) ?? null,
      cancelUrl: (form.cancel_url as string | undefined) ?? null,
    });
  }

  function priceOf(data: Form): Stripe.Price {
    const product = data.product_data as Form;
    return sells({
      name: String(product.name),
      amountMinor: Number(data.unit_amount),
      currency: String(data.currency),
      productMetadata: (product.metadata as Record<string, string> | undefined) ?? {},
    });
  }

  /** A list page: newest first unless it has an order of its own, between 1 and 100 objects. */
  function page<T extends { id: string }>(url: string, matching: T[], params: Form): object {
    const limit = Number(params.limit ?? 10);
    if (!(limit >= 1 && limit <= 100)) {
      throw new StripeRefusal(400, { type: 'invalid_request_error', message: 'Invalid limit', param: 'limit' });
    }
    const after = params.starting_after;
    const start = after ? matching.findIndex((each) => each.id === after) + 1 : 0;
    if (after && start === 0) {
      throw new StripeRefusal(400, {
        type: 'invalid_request_error',
        code: 'resource_missing',
        message: `No such object: '${after}'`,
        param: 'starting_after',
      });
    }
    const data = matching.slice(start, start + limit);
    return { object: 'list', url, has_more: start + limit < matching.length, data };
  }

  /** A copy with the fields of `paths` replaced by what they name; `data` steps into a list's items. */
  function expanded(value: unknown, paths: string[][]): unknown {
    if (Array.isArray(value)) return value.map((each) => expanded(each, paths));
    if (typeof value !== 'object' || value === null) return value;
    const copy: Record<string, unknown> = { ...value };
    const kind = String(copy.object);
    for (const field of new Set(paths.map(([first]) => first ?? ''))) {
      const deeper = paths.filter(([first, ...rest]) => first === field && rest.length > 0).map(([, ...rest]) => rest);
      if (kind !== 'list' && !EXPANDABLE[kind]?.includes(field)) {
        throw new StripeRefusal(400, {
          type: 'invalid_request_error',
          message: `This property cannot be expanded (${field}).`,
        });
      }
      copy[field] = expanded(meant(copy, field), deeper);
    }
    return copy;
  }

  function meant(object: Record<string, unknown>, field: string): unknown {
    if (object.object === 'checkout.session' && field === 'line_items') {
      return page(`/v1/checkout/sessions/${object.id}/line_items`, lines.get(String(object.id)) ?? [], {});
    }
    const value = object[field];
    return typeof value === 'string' ? (get(value) ?? value) : value;
  }

  function answer(method: string, path: string, params: Form): object {
    const [kind, id, sub] = path.replace(/^\/v1\/(checkout\/)?/, '').split('/');
    if (method === 'POST' && path === '/v1/checkout/sessions') return createSession(params);
    if (method === 'POST' && path === '/v1/refunds') {
      const intent = get<Stripe.PaymentIntent>(String(params.payment_intent));
      const chargeId = String(params.charge ?? intent?.latest_charge ?? '');
      if (!get(chargeId)) throw missing('payment_intent', String(params.payment_intent));
      return refunds({
        chargeId,
        amountMinor: params.amount === undefined ? undefined : Number(params.amount),
        metadata: (params.metadata as Record<string, string> | undefined) ?? {},
      });
    }
    if (method !== 'GET') throw unrecognized(method, path);
    if (kind === 'sessions' && id && sub === 'line_items') return page(path, lines.get(id) ?? [], params);
    if (id) {
      const object = get(id);
      if (!object || sub) throw missing(kind ?? 'object', id);
      return object;
    }
    const { payment } = params as { payment?: Form };
    switch (kind) {
      case 'sessions':
        return page(path, all<Stripe.Checkout.Session>('checkout.session').filter(matches(params)), params);
      case 'refunds':
        return page(path, all<Stripe.Refund>('refund').filter(matches(params)), params);
      case 'invoice_payments':
        return page(
          path,
          all<Stripe.InvoicePayment>('invoice_payment')
            .filter(matches({ ...params, payment: {} }))
            .filter((each) => !payment || each.payment.payment_intent === payment.payment_intent),
          params,
        );
      default:
        throw unrecognized(method, path);
    }
  }

  function matches(params: Form): (object: object) => boolean {
    const filters = Object.entries(params).filter(
      ([name, value]) => typeof value === 'string' && !['limit', 'starting_after', 'ending_before'].includes(name),
    );
    return (object) => filters.every(([name, value]) => (object as Record<string, unknown>)[name] === value);
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://stripe');
    const method = request.method ?? 'GET';
    const body = await textOf(request);
    const send = (status: number, answered: object, replayed = false) => {
      response.writeHead(status, {
        'content-type': 'application/json',
        'request-id': newId('req'),
        'stripe-version': API_VERSION,
        ...(replayed ? { 'idempotent-replayed': 'true' } : {}),
      });
      response.end(JSON.stringify(answered));
    };
    if (absent === 'closed') return void request.socket.destroy();
    if (absent === 'silent') return;
    if (absent === 'unavailable') {
      return send(503, { error: { type: 'api_error', message: 'Stripe is down for a moment.' } });
    }
    requests.push(`${method} ${url.pathname}`);
    const key = request.headers['idempotency-key'];
    const earlier = typeof key === 'string' ? answersByKey.get(key) : undefined;
    const asked = `${method} ${url.pathname} ${body}`;
    if (earlier?.asked === asked) return send(earlier.status, earlier.answer, true);
    try {
      checkHeaders(request, earlier !== undefined);
      const { expand, ...params } = parseForm(method === 'GET' ? url.search.slice(1) : body);
      const paths = Object.values((expand ?? {}) as Form).map((path) => String(path).split('.'));
      if (paths.some((path) => path.length > 4)) {
        throw new StripeRefusal(400, {
          type: 'invalid_request_error',
          message: 'You cannot expand more than 4 levels of a property.',
        });
      }
      const answered = expanded(answer(method, url.pathname, params), paths) as object;
      if (typeof key === 'string') answersByKey.set(key, { asked, status: 200, answer: structuredClone(answered) });
      send(200, answered);
    } catch (error) {
      if (!(error instanceof StripeRefusal)) throw error;
      send(error.status, { error: error.error });
    }
  }

  function checkHeaders(request: IncomingMessage, keyUsedOtherwise: boolean): void {
    if (request.headers.authorization !== `Bearer ${secretKey}`) {
      throw new StripeRefusal(401, { type: 'invalid_request_error', message: 'Invalid API Key provided: sk_test_***' });
    }
    if (request.headers['stripe-version'] !== API_VERSION) {
      throw new StripeRefusal(400, { type: 'invalid_request_error', message: 'Another API version was pinned.' });
    }
    if (keyUsedOtherwise) {
      throw new StripeRefusal(400, {
        type: 'idempotency_error',
        message: 'Keys for idempotent requests can only be used with the same parameters they were first used with.',
      });
    }
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error) => {
      response.destroy(error as Error);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secretKey,
    webhookSecret,
    requests,
    notices,
    sells,
    notice,
    refunds,

    buys({ email, name, lines: bought, paymentStatus = 'paid', mode = 'payment' }) {
      const session = openSession({
        lines: bought,
        mode,
        email: null,
        metadata: {},
        invoiceCreation: true,
        successUrl: null,
        cancelUrl: null,
      });
      return complete(session, { email, name }, paymentStatus);
    },

    pays: (sessionId, buyer) => complete(must<Stripe.Checkout.Session>(sessionId), buyer, 'paid'),

    settlesPayment(sessionId) {
      const session = must<Stripe.Checkout.Session>(sessionId);
      session.payment_status = 'paid';
      tell('checkout.session.async_payment_succeeded', session);
    },

    refundBecomes(refundId, status) {
      const refund = must<Stripe.Refund>(refundId);
      refund.status = status;
      recount(must<Stripe.Charge>(String(refund.charge)));
      if (status === 'failed') tell('refund.failed', refund);
      tell('refund.updated', refund);
    },

    disputes({ chargeId, amountMinor, status = 'needs_response' }) {
      const of = must<Stripe.Charge>(chargeId);
      of.disputed = true;
      const dispute = put({
        id: newId('dp'),
        object: 'dispute',
        amount: amountMinor ?? of.amount,
        charge: chargeId,
        created: seconds(),
        currency: of.currency,
        payment_intent: of.payment_intent,
        reason: 'fraudulent',
        status,
      } as Stripe.Dispute);
      tell('charge.dispute.created', dispute);
      return dispute;
    },

    disputeBecomes(disputeId, status) {
      const dispute = must<Stripe.Dispute>(disputeId);
      dispute.status = status;
      tell('charge.dispute.closed', dispute);
    },

    away: (how = 'unavailable') => {
      absent = how;
    },
    back: () => {
      absent = null;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function missing(kind: string, id: string): StripeRefusal {
  return new StripeRefusal(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${kind}: '${id}'`,
    param: 'id',
  });
}

function unrecognized(method: string, path: string): StripeRefusal {
  return new StripeRefusal(404, {
    type: 'invalid_request_error',
    message: `Unrecognized request URL (${method}: ${path}).`,
  });
}

function newId(prefix: string): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`;
}

/** `line_items[0][price]=price_1` → `{ line_items: { '0': { price: 'price_1' } } }` */
function parseForm(text: string): Form {
  const form: Form = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const path = name.split(/[[\]]+/).filter((part) => part !== '');
    const last = path.pop();
    if (last === undefined) continue;
    let at = form;
    for (const part of path) {
      at[part] ??= {};
      at = at[part] as Form;
    }
    at[last] = value;
  }
  return form;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
